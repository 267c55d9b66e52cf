import type { NodeConfig } from '../config/index.js';

/** The longest life, in milliseconds, that the configuration gives a token of any app. */
export function longestTokenLifeMs({ apps }: Pick<NodeConfig, 'apps'>): number {
  return Math.max(0, ...Object.values(apps).map(({ tokenTtlMs }) => tokenTtlMs));
}

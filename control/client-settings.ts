/** What a device is told beside its access points: the policies' settings over those of the configuration. */
import { heartbeatBounds, type NodeConfig } from '../config/index.js';
import { type Decision, matchedOf } from './policies/index.js';
import type { BootstrapAnswer } from './schemas.js';

/** Names that a device is told; more may have matched. */
export const MAX_TOLD_DECISIONS = 16;

export type ClientSettings = Pick<
  BootstrapAnswer,
  'heartbeat' | 'racing' | 'features' | 'limits' | 'report' | 'decisions'
>;

export function clientSettings(decision: Decision, config: NodeConfig): ClientSettings {
  const defaults = heartbeatBounds(config.heartbeat);
  const { heartbeat, racing, features, limits, report = config.report } = decision.settings;
  const decisions = matchedOf(decision).slice(0, MAX_TOLD_DECISIONS);
  return {
    heartbeat: heartbeat === undefined ? defaults : startInBounds(heartbeat, defaults.intervalMs),
    ...(racing === undefined ? {} : { racing }),
    ...(features === undefined ? {} : { features: { ...features } }),
    ...(limits === undefined ? {} : { limits: { ...limits } }),
    report: { share: report.share, intervalMs: report.intervalMs },
    ...(decisions.length === 0 ? {} : { decisions }),
  };
}

/** A policy that names bounds alone begins at the configuration's interval, or as near as its bounds let it. */
function startInBounds(
  { intervalMs, minMs, maxMs }: { intervalMs?: number | undefined; minMs: number; maxMs: number },
  defaultMs: number,
) {
  return { intervalMs: intervalMs ?? Math.min(Math.max(defaultMs, minMs), maxMs), minMs, maxMs };
}

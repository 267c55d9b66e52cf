/**
 * Which web pages may connect, by the `origins` of the apps. An upgrade to WebSocket names no app, so there a page
 * passes when any app lists it; the login names one, and is held to that app's own list.
 */
import type { NodeConfig } from '../config/index.js';

const ANY_ORIGIN = '*';

export interface OriginLists {
  /** Some app lists it. */
  isListed(origin: string): boolean;
  /** @returns false for an app that does not exist */
  isListedBy(app: string, origin: string): boolean;
}

export function createOriginLists({ apps }: Pick<NodeConfig, 'apps'>): OriginLists {
  const byApp = new Map(Object.entries(apps).map(([name, { origins }]) => [name, new Set(origins)]));
  const all = new Set([...byApp.values()].flatMap((origins) => [...origins]));
  return {
    isListed: (origin) => lists(all, origin),
    isListedBy: (app, origin) => lists(byApp.get(app), origin),
  };
}

function lists(origins: ReadonlySet<string> | undefined, origin: string): boolean {
  return origins !== undefined && (origins.has(ANY_ORIGIN) || origins.has(origin));
}

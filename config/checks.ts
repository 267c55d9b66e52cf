/**
 * What no single setting shows: references between parts of the file, and settings that clash. Every check reports
 * and goes on.
 */
import type { SettingPath } from './paths.js';
import type { ListenerConfig, NodeConfig } from './schema.js';

export type Report = (path: SettingPath, message: string) => void;

/** @param report called for each clash, with the path of the setting to change */
export function crossCheck(config: NodeConfig, report: Report): void {
  checkListeners(config, report);
  checkApps(config, report);
  checkBusinesses(config, report);
  checkKeys(config, report);
  if (config.retry.minMs > config.retry.maxMs) {
    report(['retry', 'minMs'], `must be at most retry.maxMs (${config.retry.maxMs})`);
  }
}

function checkListeners(config: NodeConfig, report: Report): void {
  const { tcp, ws } = config.access;
  if (tcp === null && ws === null) {
    report(['access'], 'needs at least one listener: tcp and ws cannot both be null');
  }
  const taken: { path: SettingPath; listener: ListenerConfig }[] = [];
  const listeners: readonly (readonly [SettingPath, ListenerConfig | null])[] = [
    [['access', 'tcp'], tcp],
    [['access', 'ws'], ws],
    [['public'], config.public],
    [['private'], config.private],
  ];
  for (const [path, listener] of listeners) {
    if (listener === null) continue;
    const other = taken.find((earlier) => clash(earlier.listener, listener));
    if (other !== undefined) {
      report([...path, 'port'], `must differ from ${other.path.join('.')}.port: both are ${listener.port}`);
    }
    taken.push({ path, listener });
    checkAdvertise([...path, 'advertise'], listener.advertise, report);
  }
}

const ANY_HOST = new Set(['0.0.0.0', '::', '']);

function clash(a: ListenerConfig, b: ListenerConfig): boolean {
  if (a.port === 0 || a.port !== b.port) return false;
  return a.host === b.host || ANY_HOST.has(a.host) || ANY_HOST.has(b.host);
}

function checkAdvertise(path: SettingPath, advertise: string | undefined, report: Report): void {
  if (advertise === undefined) return;
  const port = Number(/^(?:\[[0-9a-fA-F:.]+\]|[^\s/:@[\]]+):(\d{1,5})$/.exec(advertise)?.[1] ?? 0);
  if (port < 1 || port > 65_535) report(path, 'must be host:port, such as link.example.com:7100');
}

function checkApps(config: NodeConfig, report: Report): void {
  for (const [name, app] of Object.entries(config.apps)) {
    app.origins.forEach((origin, index) => {
      if (origin !== '*' && !isOrigin(origin)) {
        report(['apps', name, 'origins', index], 'must be a web origin such as https://app.example.com, or "*"');
      }
    });
  }
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

function checkBusinesses(config: NodeConfig, report: Report): void {
  const holders = new Map<number, string>();
  for (const [name, business] of Object.entries(config.businesses)) {
    const at = (...rest: PropertyKey[]): SettingPath => ['businesses', name, ...rest];
    const holder = holders.get(business.id);
    if (holder !== undefined) report(at('id'), `must be unique: businesses.${holder} has ${business.id} as well`);
    else holders.set(business.id, name);
    business.apps.forEach((app, index) => {
      if (!Object.hasOwn(config.apps, app)) report(at('apps', index), `must be one of apps, which has no "${app}"`);
      else if (business.apps.indexOf(app) !== index) report(at('apps', index), `names "${app}" a second time`);
    });
    business.groups.open.forEach((pattern, index) => {
      if (pattern.slice(0, -1).includes('*')) report(at('groups', 'open', index), 'may have "*" only at its end');
    });
    if (business.upstream !== undefined) checkUpstreamUrl(at('upstream', 'url'), business.upstream.url, report);
  }
}

function checkUpstreamUrl(path: SettingPath, text: string, report: Report): void {
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    report(path, 'must not hold a user name or password: requests are signed instead');
  }
  if (url.hash !== '') report(path, 'must not hold a fragment (#...): it is never sent');
}

/** A key alone says who is calling, so no two holders may share one. */
function checkKeys(config: NodeConfig, report: Report): void {
  const holders = new Map<string, string>();
  for (const family of ['apps', 'businesses'] as const) {
    for (const [name, { keys }] of Object.entries<{ readonly keys: readonly string[] }>(config[family])) {
      keys.forEach((key, index) => {
        const holder = holders.get(key);
        if (holder !== undefined) report([family, name, 'keys', index], `must be unique: ${holder} has the same key`);
        holders.set(key, `${family}.${name}.keys[${index}]`);
      });
    }
  }
}

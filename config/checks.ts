/**
 * What no single setting shows: references between parts of the file, and settings that clash. Every check reports
 * and goes on.
 */

import { MAX_BUSINESSES } from '../protocol/index.js';
import { isAdvertisable } from './addresses.js';
import { checkCertificate } from './certificate.js';
import { checkCluster } from './cluster-checks.js';
import { heartbeatBounds } from './heartbeat-bounds.js';
import type { SettingPath } from './paths.js';
import type { BusinessConfig, ListenerConfig, NodeConfig } from './schema.js';

export type Report = (path: SettingPath, message: string) => void;

/** @param report called for each clash, with the path of the setting to change */
export function crossCheck(config: NodeConfig, report: Report): void {
  checkListeners(config, report);
  checkQuic(config, report);
  checkCluster(config, report);
  checkApps(config, report);
  checkBusinesses(config, report);
  checkKeys(config, report);
  if (config.heartbeat.minMs > config.heartbeat.maxMs) {
    report(['heartbeat', 'minMs'], `must be at most heartbeat.maxMs (${config.heartbeat.maxMs})`);
  }
  if (config.retry.minMs > config.retry.maxMs) {
    report(['retry', 'minMs'], `must be at most retry.maxMs (${config.retry.maxMs})`);
  }
}

/** What a node's roles leave off is not listened at, whatever is written there. */
function checkListeners(config: NodeConfig, report: Report): void {
  const { tcp, ws, tls, wss, quic } = config.access;
  const { roles } = config.node;
  const isAccess = roles.includes('access');
  if (isAccess && [tcp, ws, tls, wss, quic].every((listener) => listener === null)) {
    report(['access'], 'needs at least one listener: tcp, ws, tls, wss and quic cannot all be null');
  }
  const taken: { path: SettingPath; listener: ListenerConfig }[] = [];
  const listeners: readonly (readonly [SettingPath, ListenerConfig | null, boolean])[] = [
    [['access', 'tcp'], tcp, isAccess],
    [['access', 'ws'], ws, isAccess],
    [['access', 'tls'], tls, isAccess],
    [['access', 'wss'], wss, isAccess],
    [['public'], config.public, roles.includes('control')],
    [['private'], config.private, true],
  ];
  for (const [path, listener, isOn] of listeners) {
    if (listener === null) continue;
    const other = isOn ? taken.find((earlier) => clash(earlier.listener, listener)) : undefined;
    if (other !== undefined) {
      report([...path, 'port'], `must differ from ${other.path.join('.')}.port: both are ${listener.port}`);
    }
    if (isOn) taken.push({ path, listener });
  }
  for (const [name, listener] of Object.entries(config.access)) {
    checkAdvertise(['access', name, 'advertise'], listener?.advertise, report);
    const proxies = listener !== null && 'proxyProtocol' in listener ? (listener.proxyProtocol?.from ?? []) : [];
    checkRanges(['access', name, 'proxyProtocol', 'from'], proxies, report);
  }
  for (const name of ['public', 'private'] as const) {
    checkRanges([name, 'trustedProxies'], config[name].trustedProxies, report);
  }
  for (const [name, listener] of Object.entries({ tls, wss, quic })) {
    if (isAccess && listener !== null) checkCertificate(['access', name], listener, report);
  }
}

/** A connection that is only silent must not be taken for a dead one before its heartbeats are. */
function checkQuic({ access: { quic }, heartbeat }: NodeConfig, report: Report): void {
  const silenceMs = heartbeat.intervalMs * (heartbeat.maxMissed + 1);
  if (quic === null) return;
  const { maxMs } = heartbeatBounds(heartbeat);
  if (quic.idleMs <= maxMs) report(['access', 'quic', 'idleMs'], `must be above heartbeat.maxMs (${maxMs})`);
  if (quic.idleMs > silenceMs) return;
  report(['access', 'quic', 'idleMs'], `must be above heartbeat.intervalMs x (heartbeat.maxMissed + 1) (${silenceMs})`);
}

/** An address that everybody may claim proves nothing. */
function checkRanges(path: SettingPath, ranges: readonly string[], report: Report): void {
  ranges.forEach((range, index) => {
    if (range.endsWith('/0')) report([...path, index], 'must not cover every address: name your proxies only');
  });
}

const ANY_HOST = new Set(['0.0.0.0', '::', '']);

function clash(a: ListenerConfig, b: ListenerConfig): boolean {
  if (a.port === 0 || a.port !== b.port) return false;
  return a.host === b.host || ANY_HOST.has(a.host) || ANY_HOST.has(b.host);
}

function checkAdvertise(path: SettingPath, advertise: string | undefined, report: Report): void {
  if (advertise === undefined || isAdvertisable(advertise)) return;
  report(path, 'must be host:port, such as link.example.com:7100');
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
    checkEvents(at('events'), business, report);
  }
  checkBusinessesPerApp(config, report);
}

function checkEvents(path: SettingPath, { events, upstream }: BusinessConfig, report: Report): void {
  for (const [name, isWanted] of Object.entries(events)) {
    if (isWanted && upstream === undefined) report([...path, name], 'needs upstream.url, where events are sent');
  }
}

/** A login names every business the device was granted, in one frame. */
function checkBusinessesPerApp({ apps, businesses }: NodeConfig, report: Report): void {
  for (const app of Object.keys(apps)) {
    const serving = Object.values(businesses).filter((business) => business.apps.includes(app)).length;
    if (serving > MAX_BUSINESSES) {
      report(['apps', app], `is served by ${serving} businesses; at most ${MAX_BUSINESSES} may serve one app`);
    }
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
  const check = (path: SettingPath, keys: readonly string[]): void => {
    keys.forEach((key, index) => {
      const holder = holders.get(key);
      if (holder !== undefined) report([...path, index], `must be unique: ${holder} has the same key`);
      holders.set(key, `${path.join('.')}[${index}]`);
    });
  };
  for (const [name, { keys }] of Object.entries(config.apps)) check(['apps', name, 'keys'], keys);
  for (const [name, { keys }] of Object.entries(config.businesses)) check(['businesses', name, 'keys'], keys);
  check(['private', 'adminKeys'], config.private.adminKeys);
}

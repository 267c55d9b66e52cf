/** `host:port` by access protocol: as a node listens, and as clients are told to dial it. */
import type { NodeConfig } from '../config/index.js';
import type { AccessAddresses } from './service.js';
import type { ListenAt } from './worker-settings.js';

export function listeningAddresses(listeners: readonly ListenAt[]): AccessAddresses {
  return Object.fromEntries(listeners.map(({ protocol, host, port }) => [protocol, formatAddress(host, port)]));
}

/** @param access its `advertise` goes before where the node listens */
export function advertisedAddresses(listeners: readonly ListenAt[], access: NodeConfig['access']): AccessAddresses {
  const listening = listeningAddresses(listeners);
  return Object.fromEntries(
    listeners.map(({ protocol }) => [protocol, access[protocol]?.advertise ?? listening[protocol]]),
  );
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Finds the ports a node will listen on, before its workers share them. Each is bound once without `reusePort`
 * and let go again: with it, a second node would listen silently beside the first. Port 0 becomes a number here.
 */
import { createSocket, type Socket } from 'node:dgram';
import { type AddressInfo, createServer, isIPv6, type Server } from 'node:net';
import type { NodeConfig } from '../config/index.js';
import { TrunklineError } from '../protocol/index.js';
import { ACCESS_PROTOCOLS } from '../transports/index.js';
import type { ListenAt } from './worker-settings.js';

type Probe = Server | Socket;

/** An access port cannot be listened on. */
export class AddressUnavailableError extends TrunklineError {
  readonly code = 'TRK_ADDRESS_UNAVAILABLE';
  constructor(
    readonly address: string,
    cause: unknown,
  ) {
    super(`cannot listen on ${address}: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`, { cause });
  }
}

/** @throws {AddressUnavailableError} naming the address */
export async function resolveListeners({ access }: NodeConfig): Promise<ListenAt[]> {
  const listeners: ListenAt[] = [];
  const probes: Probe[] = [];
  try {
    for (const protocol of ACCESS_PROTOCOLS) {
      const at = access[protocol];
      if (at === null || at === undefined) continue;
      const probe = protocol === 'quic' ? await bindUdp(at.host, at.port) : await bind(at.host, at.port, false);
      probes.push(probe);
      listeners.push({ protocol, host: at.host, port: (probe.address() as AddressInfo).port });
    }
    return listeners;
  } finally {
    // All of them at the end: let go earlier, a port that the kernel chose might be chosen again.
    await Promise.all(probes.map(letGo));
  }
}

/** Whether the workers can share a port on this platform. */
export async function canReusePort(host: string): Promise<boolean> {
  try {
    await letGo(await bind(host, 0, true));
    return true;
  } catch {
    return false;
  }
}

function bind(host: string, port: number, reusePort: boolean): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => reject(new AddressUnavailableError(`${host}:${port}`, error)));
    server.listen({ host, port, reusePort }, () => resolve(server));
  });
}

function bindUdp(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.once('error', (error) => reject(new AddressUnavailableError(`${host}:${port} (UDP)`, error)));
    socket.bind({ address: host, port, exclusive: true }, () => resolve(socket));
  });
}

function letGo(probe: Probe): Promise<void> {
  return new Promise((resolve) => {
    probe.close(() => resolve());
  });
}

/**
 * A relay that adds delay, in a process of its own beside the node: what comes in at an access point goes out at the
 * node so much later, and back. It delays data; a TCP connection as such opens at the speed of the cable.
 *
 *     node relay.js '{"delayMs":40,"routes":[{"host":"198.18.0.1","port":7110,"to":41234,"isUdp":false}]}'
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface RelayRoute {
  readonly host: string;
  readonly port: number;
  /** Port of the node, on loopback. */
  readonly to: number;
  readonly isUdp: boolean;
}

export interface RelayOptions {
  /** Each way. */
  readonly delayMs: number;
  readonly routes: readonly RelayRoute[];
}

const NODE_HOST = '127.0.0.1';

async function relayTcp({ host, port, to }: RelayRoute, delayMs: number): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: NODE_HOST, port: to, noDelay: true, allowHalfOpen: true });
    near.setNoDelay(true);
    pass(near, far, delayMs);
    pass(far, near, delayMs);
  });
  server.listen(port, host);
  await once(server, 'listening');
}

function pass(from: Socket, to: Socket, delayMs: number): void {
  from.on('data', (bytes) => setTimeout(() => to.write(bytes), delayMs));
  from.on('end', () => setTimeout(() => to.end(), delayMs));
  from.on('error', () => {});
  from.on('close', () => setTimeout(() => to.destroy(), delayMs));
}

async function relayUdp({ host, port, to }: RelayRoute, delayMs: number): Promise<void> {
  const near = createSocket('udp4');
  const farOf = new Map<string, UdpSocket>();
  near.on('message', (bytes, peer) => {
    const key = `${peer.address}:${peer.port}`;
    const far = farOf.get(key) ?? openFar(near, peer, delayMs);
    farOf.set(key, far);
    setTimeout(() => far.send(bytes, to, NODE_HOST), delayMs);
  });
  near.bind(port, host);
  await once(near, 'listening');
}

function openFar(near: UdpSocket, peer: RemoteInfo, delayMs: number): UdpSocket {
  const far = createSocket('udp4');
  far.on('message', (bytes) => setTimeout(() => near.send(bytes, peer.port, peer.address), delayMs));
  far.on('error', () => {});
  return far;
}

const { delayMs, routes } = JSON.parse(process.argv[2] ?? '') as RelayOptions;
for (const route of routes) await (route.isUdp ? relayUdp(route, delayMs) : relayTcp(route, delayMs));
process.stdout.write('ready\n');

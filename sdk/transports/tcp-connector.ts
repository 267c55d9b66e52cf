/**
 * Links over plain TCP, for Node. Frames that one turn of the event loop produces leave in one write.
 */
import { connect, type Socket } from 'node:net';
import type { Connector } from './connector.js';

/** How long a closed link may take to send its last bytes before it is destroyed. */
const LINGER_MS = 1_000;

export const tcpConnector: Connector = (address, handlers) => {
  const target = parseHostPort(address);
  if (target === undefined) {
    queueMicrotask(() => handlers.onClose(new Error(`not host:port: ${address}`)));
    return { send() {}, close() {} };
  }
  const socket = connect({ ...target, noDelay: true });
  let listening = true;
  let cause: Error | undefined;
  socket.on('connect', () => listening && handlers.onOpen());
  socket.on('data', (bytes: Buffer) => listening && handlers.onBytes(bytes));
  socket.on('error', (error) => {
    cause = error;
  });
  socket.on('close', () => listening && handlers.onClose(cause));
  return {
    send: (bytes) => writeThisTurn(socket, bytes),
    close() {
      listening = false;
      endPolitely(socket);
    },
  };
};

function endPolitely(socket: Socket): void {
  if (socket.connecting) return void socket.destroy();
  socket.end();
  const linger = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.on('close', () => clearTimeout(linger));
}

function writeThisTurn(socket: Socket, bytes: Uint8Array): void {
  if (!socket.writable) return;
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => socket.uncork());
  }
  socket.write(bytes);
}

/** `host:port`, with an IPv6 host in brackets. */
export function parseHostPort(address: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:/[\]]+)):(\d{1,5})$/i.exec(address);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  return host === undefined || !(port >= 1 && port <= 65_535) ? undefined : { host, port };
}

/** A link over a socket of Node, plain or encrypted. Frames that one turn of the event loop produces leave in one write. */
import type { Socket } from 'node:net';
import type { Link, LinkHandlers, LinkPhase } from './connector.js';

/** How long a closed link may take to send its last bytes before it is destroyed. */
const LINGER_MS = 1_000;

/** @param readyEvent of the socket, when it can be written to */
export function socketLink(socket: Socket, readyEvent: 'connect' | 'secureConnect', handlers: LinkHandlers): Link {
  let isReady = false;
  let isListening = true;
  let cause: Error | undefined;
  const tell = (phase: LinkPhase) => () => isListening && handlers.onPhase?.(phase);
  // A name with several addresses may be looked up more than once.
  socket.once('lookup', tell('resolved'));
  socket.once('connect', tell('connected'));
  socket.once('secureConnect', tell('secured'));
  socket.on(readyEvent, () => {
    isReady = true;
    if (isListening) handlers.onOpen();
  });
  socket.on('data', (bytes: Buffer) => isListening && handlers.onBytes(bytes));
  socket.on('error', (error) => {
    cause = error;
  });
  socket.on('close', () => isListening && handlers.onClose(cause));
  return {
    send: (bytes) => writeThisTurn(socket, bytes),
    close() {
      isListening = false;
      if (isReady) endPolitely(socket);
      else socket.destroy();
    },
  };
}

/** A link that never was, because of its address. */
export function brokenLink(error: Error, handlers: LinkHandlers): Link {
  queueMicrotask(() => handlers.onClose(error));
  return { send() {}, close() {} };
}

function endPolitely(socket: Socket): void {
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

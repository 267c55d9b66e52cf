/**
 * How much of what was written to a socket is still with us. For a plain socket the stream knows. A TLS socket tells
 * its stream only a turn later that a write is over, although the kernel mostly took it at once; whoever waits for that
 * would pay a turn and a callback for every push. So for TLS the queue of the socket below is asked: when nothing waits
 * there, and nothing but the last write is counted above, the kernel has it all.
 */
import type { Socket } from 'node:net';

/** What Node keeps of a stream's handle and does not document; `test/transports` watches over it. */
interface SocketInside {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
  readonly _parent?: Socket;
}

/** @returns the socket below a TLS socket, or the socket itself */
export function rawSocketOf(socket: Socket): Socket {
  return (socket as unknown as SocketInside)._parent ?? socket;
}

/**
 * @param raw the socket below a TLS socket; `undefined` for a plain one
 * @param handedBytes length of the last write if nothing waited before it, so that it went straight down; otherwise -1
 */
export function untakenBytes(socket: Socket, raw: Socket | undefined, handedBytes: number): number {
  const waiting = socket.writableLength;
  if (waiting === 0 || raw === undefined || waiting !== handedBytes) return waiting;
  return (raw as unknown as SocketInside)._handle?.writeQueueSize === 0 ? 0 : waiting;
}

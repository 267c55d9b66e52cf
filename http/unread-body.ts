/**
 * What happens to a body that nobody wants, because the request was refused before it was read. Closing at once would
 * reset the connection and often cost the caller the answer; reading on for ever would let a stranger keep it busy.
 * So it is thrown away within bounds, and only past them the connection ends.
 */
import type { IncomingMessage } from 'node:http';

export const MAX_DISCARDED_BYTES = 16 * 1024 * 1024;
export const MAX_DISCARD_MS = 2_000;

/** Reads the rest of `request` into nothing, or destroys its connection at a bound. */
export function discardBody(request: IncomingMessage): void {
  let left = MAX_DISCARDED_BYTES;
  const timer = setTimeout(() => request.socket.destroy(), MAX_DISCARD_MS);
  timer.unref();
  request.on('data', (chunk: Buffer | string) => {
    left -= chunk.length;
    if (left < 0) request.socket.destroy();
  });
  request.once('close', () => clearTimeout(timer));
  request.resume();
}

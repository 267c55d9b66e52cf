/** A peer without manners: it writes the same bytes as fast as the kernel takes them, and reads or does not. */
import { once } from 'node:events';
import { connect } from 'node:net';

export interface FloodOptions {
  /** Sent before the flood, each when the one before was answered. */
  readonly opening?: readonly Uint8Array[];
  /** Sent over and over. */
  readonly bytes: Uint8Array;
  /** Sent once, just before. */
  readonly startWith?: Uint8Array;
  /** The flood ends after this much, or when the node ends the link. */
  readonly totalBytes: number;
  /** Whether what comes back is read; default true. */
  readonly reads?: boolean;
  /** And after this long, for a node that takes no more; default 5 s. */
  readonly withinMs?: number;
}

export interface FloodResult {
  readonly sentBytes: number;
  /** All that came back; empty when nothing was read. */
  readonly received: Buffer;
  /** The node ended the link by itself. */
  readonly isCut: boolean;
}

/**
 * The node cuts a link that was told to close after two seconds. A machine that is busy with other things may take many
 * times that; what a test must tell apart is a link that is still there because nobody minds it.
 */
const CUT_WITHIN_MS = 45_000;

/** @param address `host:port` */
export async function flood(address: string, options: FloodOptions): Promise<FloodResult> {
  const { opening = [], bytes, startWith, totalBytes, reads = true, withinMs = 5_000 } = options;
  const [host = '', port] = address.split(':');
  const socket = connect({ host, port: Number(port), noDelay: true });
  const received: Buffer[] = [];
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.on('data', (chunk) => received.push(chunk));
  for (const chunk of opening) {
    socket.write(chunk);
    await once(socket, 'data');
  }
  if (!reads) socket.pause();
  if (startWith !== undefined) socket.write(startWith);
  const timeIsUp = delay(withinMs);
  let isOver = false;
  void timeIsUp.then(() => {
    isOver = true;
  });
  let sentBytes = 0;
  while (sentBytes < totalBytes && !socket.destroyed && !isOver) {
    sentBytes += bytes.length;
    // One write behind another, so that the count is of bytes the kernel took.
    const written = new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
    await Promise.race([written, closed, timeIsUp]);
  }
  // A socket that does not read does not see its end, unless it is a reset.
  if (!reads) socket.resume();
  const isCut = await Promise.race([closed.then(() => true), delay(CUT_WITHIN_MS).then(() => false)]);
  socket.destroy();
  return { sentBytes, received: Buffer.concat(received), isCut };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** `bytes` often enough to fill about `aboutBytes`. */
export function repeated(bytes: Uint8Array, aboutBytes: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(aboutBytes / bytes.length) }, () => bytes));
}

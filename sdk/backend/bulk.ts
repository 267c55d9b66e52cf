/**
 * A bulk push: an iterable of pushes in, an iterable of results out. Neither side runs ahead of the other: pushes are
 * asked for as the connection takes them, and it takes none while nobody takes the results.
 *
 * @see docs/api.md, "Bulk"
 */
import { Readable } from 'node:stream';
import type { BulkResult } from './answers.js';
import type { BridgeHttp } from './bridge-http.js';
import { BridgeUnreachableError } from './errors.js';
import { payloadForm } from './payload-form.js';

const NDJSON_MEDIA_TYPE = 'application/x-ndjson';
/** Lines put together while more are at hand. */
const CHUNK_CHARACTERS = 32 * 1024;

interface BulkMessage {
  /** Text goes as UTF-8. */
  readonly payload: string | Uint8Array;
  readonly messageId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly ttlMs?: number;
  readonly priority?: 'high' | 'normal';
  readonly droppable?: boolean;
  /** Comes back with the result. */
  readonly ref?: string;
  readonly idempotencyKey?: string;
}

/** One push: to a device, to many, to a user's devices, or to a group. */
export type BulkPush = BulkMessage &
  (
    | { readonly device: string; readonly app?: string }
    | { readonly devices: readonly string[]; readonly app?: string }
    | { readonly user: string; readonly app?: string }
    | { readonly group: string }
  );

/** @param app where a push names none */
export async function* pushBulk(
  http: BridgeHttp,
  pushes: Iterable<BulkPush> | AsyncIterable<BulkPush>,
  app: string | undefined,
): AsyncGenerator<BulkResult, void, undefined> {
  const body = Readable.from(toLines(pushes, app), { objectMode: false, highWaterMark: CHUNK_CHARACTERS });
  let failure: unknown;
  body.on('error', (error) => {
    failure ??= error;
  });
  try {
    const answer = await http.stream(['push', 'bulk'], NDJSON_MEDIA_TYPE, body);
    yield* parseLines(answer);
  } catch (error) {
    // What the caller's own iterable threw is the caller's.
    if (failure !== undefined && error instanceof BridgeUnreachableError) throw failure;
    throw error;
  } finally {
    body.destroy();
  }
}

/** As many lines a chunk as are at hand without waiting. */
async function* toLines(pushes: Iterable<BulkPush> | AsyncIterable<BulkPush>, app: string | undefined) {
  if (Symbol.asyncIterator in pushes) {
    for await (const push of pushes) yield lineOf(push, app);
    return;
  }
  let text = '';
  for (const push of pushes) {
    text += lineOf(push, app);
    if (text.length < CHUNK_CHARACTERS) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

function lineOf({ payload, ...push }: BulkPush, app: string | undefined): string {
  const target = 'group' in push || push.app !== undefined ? push : { ...push, app };
  return `${JSON.stringify({ ...target, ...payloadForm(payload) })}\n`;
}

async function* parseLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<BulkResult, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of bytes) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as BulkResult;
    }
  } catch (cause) {
    throw new BridgeUnreachableError(cause);
  }
  if (rest !== '') throw new BridgeUnreachableError(new Error('the answer ended inside a line'));
}

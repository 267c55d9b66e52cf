/**
 * Requests that come the other way: a back-end asks this device (cloud control). A handler's answer, failure,
 * cancellation or lateness each becomes one RESPONSE; without a handler the answer is UNIMPLEMENTED.
 */
import { FrameType, type RequestFrame, type ResponseFrame, Status, type StringMap } from '../protocol/index.js';
import { checkMap } from './arguments.js';
import type { Clock } from './clock.js';
import { Message, type PayloadInput, toBytes } from './message.js';

/** A request to this device. */
export class ServedRequest extends Message {
  constructor(
    readonly method: string,
    metadata: StringMap,
    payload: Uint8Array,
    /** How long the asking side waits; 0 when it does not say. */
    readonly deadlineMs: number,
    /** Aborted when the answer is no longer wanted. */
    readonly signal: AbortSignal,
  ) {
    super(metadata, payload);
  }
}

export interface ServedReply {
  /** A `Status`, OK by default. */
  readonly status?: number;
  readonly metadata?: StringMap;
  readonly payload?: PayloadInput;
}

/**
 * Answers a request. What it throws is answered INTERNAL, or with the error's own `status` if it has one (as
 * RequestError does); nothing else of the error leaves the device.
 */
export type RequestHandler = (
  request: ServedRequest,
) => ServedReply | PayloadInput | undefined | Promise<ServedReply | PayloadInput | undefined>;

type FindHandler = (businessId: number, method: string) => RequestHandler | undefined;
type SendResponse = (frame: ResponseFrame) => void;

const NOTHING = new Uint8Array(0);

export class ServedRequests {
  readonly #find: FindHandler;
  readonly #clock: Clock;
  /** Being handled, by request id. */
  readonly #open = new Map<number, AbortController>();

  constructor(find: FindHandler, clock: Clock) {
    this.#find = find;
    this.#clock = clock;
  }

  /**
   * @param maxOpen requests handled at once; more are answered RESOURCE_EXHAUSTED
   * @param send puts the answer on the connection that the request came on
   */
  async serve(frame: RequestFrame, maxOpen: number, send: SendResponse): Promise<void> {
    const handler = this.#find(frame.businessId, frame.method);
    if (handler === undefined) return answer(frame, { status: Status.unimplemented }, send);
    if (this.#open.has(frame.requestId)) return answer(frame, { status: Status.alreadyExists }, send);
    if (this.#open.size >= maxOpen) return answer(frame, { status: Status.resourceExhausted }, send);
    const abort = new AbortController();
    this.#open.set(frame.requestId, abort);
    const stopped = new Promise<ServedReply>((resolve) => {
      abort.signal.addEventListener('abort', () => resolve({ status: abort.signal.reason as number }));
    });
    const cancelTimer =
      frame.deadlineMs > 0
        ? this.#clock.setTimer(() => abort.abort(Status.deadlineExceeded), frame.deadlineMs)
        : () => {};
    const reply = await Promise.race([run(handler, frame, abort.signal), stopped]);
    cancelTimer();
    // After `reset` the same id may belong to a request of the next connection.
    if (this.#open.get(frame.requestId) !== abort) return;
    this.#open.delete(frame.requestId);
    answer(frame, reply, send);
  }

  /** The asking side gave up. */
  cancel(requestId: number): void {
    this.#open.get(requestId)?.abort(Status.cancelled);
  }

  /** The connection is gone, and with it everybody who asked. */
  reset(): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const abort of open) abort.abort(Status.cancelled);
  }
}

async function run(handler: RequestHandler, frame: RequestFrame, signal: AbortSignal): Promise<ServedReply> {
  try {
    const { method, metadata, payload, deadlineMs } = frame;
    const reply = await handler(new ServedRequest(method, metadata, payload, deadlineMs, signal));
    if (reply === undefined) return {};
    return typeof reply === 'string' || reply instanceof Uint8Array ? { payload: reply } : reply;
  } catch (thrown) {
    const status = (thrown as { status?: unknown } | null)?.status;
    return {
      status: typeof status === 'number' && Number.isSafeInteger(status) && status > 0 ? status : Status.internal,
    };
  }
}

function answer({ requestId }: RequestFrame, reply: ServedReply, send: SendResponse): void {
  const type = FrameType.response;
  try {
    const metadata = checkMap('metadata', reply.metadata ?? {});
    send({ type, requestId, status: reply.status ?? Status.ok, metadata, payload: toBytes(reply.payload) });
  } catch {
    // Too large for a frame, or metadata beyond the limits: the asking side still gets its answer.
    send({ type, requestId, status: Status.internal, metadata: {}, payload: NOTHING });
  }
}

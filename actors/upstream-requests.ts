/**
 * The upstream requests one session has under way. They run concurrently and are answered as the back-ends
 * answer; the end of the session aborts them.
 */
import { FrameType, type RequestFrame, Status, type StringMap } from '../protocol/index.js';
import type { UpstreamReply } from './ports.js';
import type { Session } from './session.js';

export class UpstreamRequests {
  readonly #session: Session;
  readonly #open = new Map<number, AbortController>();

  constructor(session: Session) {
    this.#session = session;
  }

  get size(): number {
    return this.#open.size;
  }

  start(frame: RequestFrame): void {
    const refusal = this.#refusal(frame);
    if (refusal !== undefined) return this.#session.respond(frame.requestId, refusal);
    const aborter = new AbortController();
    this.#open.set(frame.requestId, aborter);
    void this.#exchange(frame, aborter);
  }

  cancel(requestId: number): void {
    this.#open.get(requestId)?.abort();
  }

  abortAll(): void {
    for (const aborter of this.#open.values()) aborter.abort();
    this.#open.clear();
  }

  #refusal({ requestId, businessId }: RequestFrame): Status | undefined {
    const { grants, worker } = this.#session;
    if (!grants.has(businessId)) return Status.permissionDenied;
    if (!worker.backEnds.has(businessId)) return Status.unimplemented;
    if (this.#open.has(requestId)) return Status.alreadyExists;
    if (this.#open.size >= worker.limits.inFlight) return Status.resourceExhausted;
    return undefined;
  }

  async #exchange(frame: RequestFrame, aborter: AbortController): Promise<void> {
    const session = this.#session;
    const { claims, connectionId, worker } = session;
    const reply = await worker.backEnds
      .get(frame.businessId)
      ?.request({
        device: claims,
        uid: claims.uid,
        connectionId,
        method: frame.method,
        metadata: frame.metadata,
        payload: frame.payload,
        deadlineMs: frame.deadlineMs,
        signal: aborter.signal,
      })
      .catch(() => undefined);
    if (this.#open.get(frame.requestId) !== aborter) return;
    this.#open.delete(frame.requestId);
    this.#respond(frame.requestId, reply ?? UNAVAILABLE);
  }

  #respond(requestId: number, { status, metadata, payload }: UpstreamReply): void {
    this.#session.send({ type: FrameType.response, requestId, status, metadata, payload });
  }
}

const NO_METADATA: StringMap = Object.freeze({});
const UNAVAILABLE: UpstreamReply = { status: Status.unavailable, metadata: NO_METADATA, payload: new Uint8Array(0) };

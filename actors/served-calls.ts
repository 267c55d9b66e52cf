/**
 * Requests of back-ends that one device has under way. The router chooses their ids and keeps their time; here a
 * call keeps its place until the device has answered, cancelled or not, because until then the device may still be
 * at work on it.
 */
import { encodeFrame, FrameType, HEADER_BYTES, type RawFrame, Status } from '../protocol/index.js';
import type { RouterLink } from './router-link.js';
import type { Session } from './session.js';

const NOTHING = new Uint8Array(0);

export class ServedCalls {
  readonly #session: Session;
  readonly #open = new Set<number>();

  constructor(session: Session) {
    this.#session = session;
  }

  get size(): number {
    return this.#open.size;
  }

  start(callId: number, businessId: number, frame: Uint8Array): void {
    const { grants, state, worker } = this.#session;
    if (!grants.has(businessId)) return refuseCall(worker.router, callId, Status.unavailable, 'offline');
    if (state !== 'online' && state !== 'handshaking') {
      return refuseCall(worker.router, callId, Status.unavailable, 'the connection ends');
    }
    if (this.#open.size >= worker.limits.inFlight) {
      return refuseCall(worker.router, callId, Status.resourceExhausted, 'too many calls wait for this device');
    }
    if (!this.#session.hasRoom(frame.length)) {
      return refuseCall(worker.router, callId, Status.resourceExhausted, 'the device does not read');
    }
    this.#open.add(callId);
    worker.counters.calls += 1;
    this.#session.sendEncoded(frame);
  }

  /** Asks the device to stop; what it still answers nobody waits for. */
  cancel(callId: number): void {
    if (this.#open.has(callId)) this.#session.send({ type: FrameType.cancel, requestId: callId });
  }

  /** The device's answer; one that nobody asked for is ignored. */
  answer(requestId: number, { body }: RawFrame): void {
    if (!this.#open.delete(requestId)) return;
    const frame = new Uint8Array(HEADER_BYTES + body.length);
    frame[0] = body.length >>> 16;
    frame[1] = (body.length >>> 8) & 0xff;
    frame[2] = body.length & 0xff;
    frame[3] = FrameType.response;
    frame.set(body, HEADER_BYTES);
    this.#session.worker.router.callReply(frame);
  }

  /** The connection is gone: whether a call was carried out is unknown. */
  abortAll(): void {
    for (const callId of this.#open) {
      refuseCall(this.#session.worker.router, callId, Status.unavailable, 'connection lost');
    }
    this.#open.clear();
  }
}

/** Answers in the device's stead. @param reason metadata `trunkline-reason` */
export function refuseCall(router: RouterLink, callId: number, status: number, reason: string): void {
  const metadata = { 'trunkline-reason': reason };
  const type = FrameType.response;
  router.callReply(encodeFrame({ type, requestId: callId, status, metadata, payload: NOTHING }));
}

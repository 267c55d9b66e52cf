/**
 * A stranger between the accepted link and its session: one small object, no actor, frames of at most 8 KiB and
 * a time limit. Frames that follow CONNECT in the same breath are kept, bounded, until the login is through.
 */
import {
  CloseCode,
  type ConnectFrame,
  decodeFrame,
  encodeFrame,
  FrameDecoder,
  FrameType,
  MAX_HANDSHAKE_BYTES,
  MAX_HANDSHAKE_FRAME_BYTES,
  MalformedFrameError,
  PROTOCOL_VERSION,
  ProtocolError,
  type RawFrame,
  Status,
  type StringMap,
  UnexpectedFrameError,
} from '../protocol/index.js';
import type { Transport, TransportHandler } from '../transports/index.js';
import { EngineUnavailableError } from './errors.js';
import type { DeviceClaims } from './ports.js';
import { Session } from './session.js';
import { outsideWheel, type WheelItem } from './timer-wheel.js';
import type { Worker } from './worker.js';

export class Handshake implements TransportHandler, WheelItem {
  readonly place = outsideWheel();
  readonly #transport: Transport;
  readonly #worker: Worker;
  readonly #origin: string | undefined;
  readonly #decoder = new FrameDecoder(MAX_HANDSHAKE_FRAME_BYTES);
  readonly #early: RawFrame[] = [];
  readonly #dueAtMs: number;
  #earlyBytes = 0;
  #isLoggingIn = false;
  #isOver = false;

  /** @param origin of the web page behind the link; other clients have none */
  constructor(transport: Transport, worker: Worker, origin?: string) {
    this.#transport = transport;
    this.#worker = worker;
    this.#origin = origin;
    transport.handler = this;
    worker.counters.accepted += 1;
    this.#dueAtMs = worker.now() + worker.limits.handshakeMs;
    worker.wheel.schedule(this, worker.limits.handshakeMs);
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#worker.counters.bytesIn += bytes.length;
    try {
      this.#earlyBytes += bytes.length;
      if (this.#earlyBytes > MAX_HANDSHAKE_BYTES)
        return this.#refuse(CloseCode.policyViolation, 'too much before login');
      this.#early.push(...this.#decoder.decode(bytes));
      if (this.#transport.envelope.wholeFrames && this.#decoder.pendingBytes > 0) {
        throw new MalformedFrameError('a message ends inside a frame');
      }
      if (this.#isLoggingIn) return;
      const first = this.#early.shift();
      if (first !== undefined) this.#begin(first);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error.closeCode, error.message);
    }
  }

  onDrain(): void {}

  onViolation(detail: string): void {
    this.#refuse(CloseCode.malformedFrame, detail);
  }

  onClose(): void {
    this.#end();
  }

  onDue(nowMs: number): number {
    if (this.#isOver) return 0;
    const leftMs = this.#dueAtMs - nowMs;
    if (leftMs > 0) return leftMs;
    this.#refuse(CloseCode.handshakeTimeout, 'no login in time');
    return 0;
  }

  #begin(raw: RawFrame): void {
    if (raw.type !== FrameType.connect) throw new UnexpectedFrameError(raw.type, 'came before CONNECT');
    const connect = decodeFrame(raw) as ConnectFrame;
    if (connect.minVersion > PROTOCOL_VERSION || connect.maxVersion < PROTOCOL_VERSION) {
      return this.#refuse(CloseCode.unsupportedVersion, `version ${PROTOCOL_VERSION} only`, Status.failedPrecondition);
    }
    // Before the token is judged, which costs more than the refusal.
    if (this.#worker.overloadLevel() > 0) {
      return this.#refuse(CloseCode.overloaded, 'node is overloaded', Status.resourceExhausted);
    }
    if (this.#worker.door.isFull()) {
      return this.#refuse(CloseCode.overloaded, 'node is full', Status.resourceExhausted);
    }
    this.#isLoggingIn = true;
    try {
      const claims = this.#worker.verifier.verify(connect.token);
      if (claims instanceof Promise) {
        claims.then(
          (verified) => this.#login(verified, connect.attributes),
          (error) => this.#refuseToken(error),
        );
      } else {
        void this.#login(claims, connect.attributes);
      }
    } catch (error) {
      this.#refuseToken(error);
    }
  }

  async #login(claims: DeviceClaims, attributes: StringMap): Promise<void> {
    const worker = this.#worker;
    if (this.#isOver) return;
    if (worker.isDraining) return this.#refuse(CloseCode.goingAway, 'node stops', Status.unavailable);
    if (this.#origin !== undefined && !worker.allowsOrigin(claims.app, this.#origin)) {
      return this.#refuse(CloseCode.originNotAllowed, 'the app does not list this origin', Status.permissionDenied);
    }
    if (!worker.door.enter()) {
      return this.#refuse(CloseCode.overloaded, 'node is full', Status.resourceExhausted);
    }
    const session = new Session(
      { serial: worker.nextSerial(), transport: this.#transport, decoder: this.#decoder, claims, attributes },
      worker,
    );
    // From here the router may send it pushes; they wait behind CONNACK.
    worker.sessions.set(session.serial, session);
    const [claim, adoption] = await Promise.allSettled([session.claimRoute(), worker.adopt(session)]);
    const fence = claim.status === 'fulfilled' ? claim.value : undefined;
    const actor = adoption.status === 'fulfilled' ? adoption.value : undefined;
    const isSessionOver = session.state === 'closed';
    if (this.#isOver || isSessionOver || fence === undefined || actor === undefined) {
      session.abandon(fence, actor);
      // Replaced or closed from inside meanwhile: the session has said so itself.
      if (isSessionOver) return this.#end();
      if (claim.status === 'rejected' && claim.reason instanceof EngineUnavailableError) {
        return this.#refuse(CloseCode.overloaded, 'routes are not available', Status.unavailable);
      }
      return this.#refuse(CloseCode.internal, 'login failed', Status.internal);
    }
    if (worker.isDraining) {
      session.abandon(fence, actor);
      return this.#refuse(CloseCode.goingAway, 'node stops', Status.unavailable);
    }
    this.#end();
    worker.counters.logins += 1;
    session.open(fence, actor, this.#early);
  }

  #refuseToken(error: unknown): void {
    const closeCode = (error as { closeCode?: unknown } | null)?.closeCode;
    if (typeof closeCode !== 'number') return this.#refuse(CloseCode.internal, 'login failed', Status.internal);
    const reason = closeCode === CloseCode.tokenExpired ? 'token expired' : 'token not accepted';
    this.#refuse(closeCode, reason, Status.unauthenticated);
  }

  /** @param status tells a client that spoke the protocol so far why there is no CONNACK for it */
  #refuse(code: number, reason: string, status?: number): void {
    if (this.#isOver) return;
    this.#end();
    this.#worker.counters.refusedLogins += 1;
    this.#worker.counters.closed(code);
    const frames = [encodeFrame({ type: FrameType.close, code, reason: reason.slice(0, 120) })];
    if (status !== undefined) frames.unshift(refusal(status));
    this.#transport.write(this.#transport.envelope.wrap(Buffer.concat(frames)));
    this.#transport.close(code, reason.slice(0, 120));
  }

  #end(): void {
    this.#isOver = true;
    this.#worker.wheel.remove(this);
  }
}

function refusal(status: number): Uint8Array {
  return encodeFrame({
    type: FrameType.connack,
    status,
    version: PROTOCOL_VERSION,
    connectionId: '',
    sessionId: '',
    resumeSecret: new Uint8Array(0),
    resumed: false,
    heartbeatMs: 0,
    serverTimeMs: 0,
    maxFrameBytes: 0,
    maxInFlight: 0,
    maxGroups: 0,
    businesses: [],
  });
}

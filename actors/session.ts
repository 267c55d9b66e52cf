/**
 * One device's live connection: what comes in is judged and applied here, what goes out passes `Outbound`.
 * Protocol-independent of the transport below it. Its actor (`connection-actor.ts`) gives it a place in the
 * tree; bytes and fan-outs reach it directly, because a message each would cost more than the work.
 */
import {
  type AuthFrame,
  CloseCode,
  decodeFrame,
  encodeFrame,
  type Frame,
  type FrameDecoder,
  FrameType,
  GapReason,
  HEADER_BYTES,
  type JoinFrame,
  type LeaveFrame,
  MalformedFrameError,
  PROTOCOL_VERSION,
  ProtocolError,
  type RawFrame,
  type ReportFrame,
  type RequestFrame,
  Status,
  type StringMap,
  UnexpectedFrameError,
} from '../protocol/index.js';
import type { Envelope, Transport, TransportHandler } from '../transports/index.js';
import type { Business } from './business.js';
import type { ClientKind } from './client-kinds.js';
import { formatConnectionId } from './connection-id.js';
import { type ConnectionState, move } from './connection-state.js';
import type { DeliveryOptions } from './delivery-options.js';
import { type Grants, withoutBusiness } from './grants.js';
import type { Group, GroupMember } from './group.js';
import { announcedHeartbeatMs, Heartbeat } from './heartbeat.js';
import { Memberships } from './memberships.js';
import { Outbound } from './outbound.js';
import type { Ticket } from './outbound-queue.js';
import { OutcomeCode } from './outcome-batch.js';
import type { DeviceClaims } from './ports.js';
import { ReportRate } from './report-rate.js';
import { maxFramesPerSecond, RequestRate } from './request-rate.js';
import type { RouteRestore } from './router-link.js';
import { ServedCalls } from './served-calls.js';
import { outsideWheel, type WheelItem } from './timer-wheel.js';
import { TokenRefresh } from './token-refresh.js';
import { UpstreamRequests } from './upstream-requests.js';
import type { SessionActorRef, Worker } from './worker.js';

/** What a session without a link listens to: nothing. */
const CLOSED: TransportHandler = { onBytes() {}, onDrain() {}, onViolation() {}, onClose() {} };

export interface SessionSeed {
  readonly serial: number;
  readonly transport: Transport;
  /** With whatever it holds of a frame that is not complete yet. */
  readonly decoder: FrameDecoder;
  readonly claims: DeviceClaims;
  /** What the client said of itself in CONNECT. */
  readonly attributes: StringMap;
}

export class Session implements TransportHandler, GroupMember, WheelItem {
  readonly serial: number;
  readonly place = outsideWheel();
  readonly envelope: Envelope;
  readonly worker: Worker;
  #claims: DeviceClaims;
  #grants: Grants;
  #state: ConnectionState = 'handshaking';
  #fence = 0;
  /** Why it ended; 0 while it has not, and when the peer went without a word. */
  #closeCode = 0;
  #actor: SessionActorRef | undefined;
  readonly #transport: Transport;
  readonly #decoder: FrameDecoder;
  readonly #outbound: Outbound;
  readonly #heartbeat: Heartbeat;
  readonly #kind: ClientKind;
  #requests: UpstreamRequests | undefined;
  #requestRate: RequestRate | undefined;
  #reportRate: ReportRate | undefined;
  /** The second of the clock that `#framesInSecond` counts. */
  #second = 0;
  #framesInSecond = 0;
  #calls: ServedCalls | undefined;
  #memberships: Memberships | undefined;
  #refresh: TokenRefresh | undefined;

  constructor(seed: SessionSeed, worker: Worker) {
    this.serial = seed.serial;
    this.worker = worker;
    this.#claims = seed.claims;
    this.#grants = worker.grants.of(seed.claims.app, seed.claims.businesses);
    this.#transport = seed.transport;
    this.envelope = seed.transport.envelope;
    this.#decoder = seed.decoder;
    this.#outbound = new Outbound(seed.transport, this, worker);
    this.#heartbeat = new Heartbeat(worker.now(), announcedHeartbeatMs(seed.attributes));
    this.#kind = worker.kinds.of(seed.attributes);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get claims(): DeviceClaims {
    return this.#claims;
  }

  get grants(): Grants {
    return this.#grants;
  }

  get connectionId(): string {
    const { incarnation, index } = this.worker;
    return formatConnectionId({ incarnation, worker: index, serial: this.serial });
  }

  get protocol(): Transport['protocol'] {
    return this.#transport.protocol;
  }

  /** Nothing is under way: no request in either direction, nothing unsent. */
  get isIdle(): boolean {
    return (this.#requests?.size ?? 0) === 0 && (this.#calls?.size ?? 0) === 0 && this.#outbound.isIdle;
  }

  /** The route is claimed: takes the link over, tells the client, and applies what came behind CONNECT. */
  open(fence: number, actor: SessionActorRef, early: readonly RawFrame[]): void {
    this.#state = move(this.#state, 'online');
    this.#fence = fence;
    this.#actor = actor;
    const { worker } = this;
    this.#transport.handler = this;
    this.#transport.allowMessageBytes(worker.limits.frameBytes + HEADER_BYTES);
    this.#decoder.maxFrameBytes = worker.limits.frameBytes;
    this.#outbound.open(this.#connack());
    worker.counters.framesOut += 1;
    worker.wheel.schedule(this, this.#nextDueMs(worker.now()));
    this.#applyAll(early);
  }

  /** The login did not come to its end, or the session ended before it; what it has taken by then is given back. */
  abandon(fence = 0, actor?: SessionActorRef): void {
    this.#fence = fence;
    this.#actor = actor;
    if (this.#state === 'closed') this.#giveBack();
    else this.#end();
  }

  onBytes(bytes: Uint8Array): void {
    const nowMs = this.worker.now();
    this.worker.counters.bytesIn += bytes.length;
    this.#heartbeat.seen(nowMs);
    try {
      const frames = this.#decoder.decode(bytes);
      if (this.#isFlood(frames.length, nowMs)) return this.close(CloseCode.policyViolation, 'too many frames');
      if (this.envelope.wholeFrames && this.#decoder.pendingBytes > 0) {
        throw new MalformedFrameError('a message ends inside a frame');
      }
      this.#applyAll(frames);
    } catch (error) {
      this.#fail(error);
    }
  }

  onDrain(): void {
    this.#outbound.drained();
  }

  onViolation(detail: string): void {
    this.close(CloseCode.malformedFrame, detail);
  }

  onClose(): void {
    this.worker.counters.closed(0);
    this.#end();
  }

  onDue(nowMs: number): number {
    if (this.#state === 'closed') return 0;
    if (this.worker.epochMs() >= this.#claims.expiresAtMs) {
      this.close(CloseCode.tokenExpired, 'token expired');
      return 0;
    }
    const verdict = this.#heartbeat.tick(this.worker.heartbeat, nowMs);
    if (verdict === 'stale') {
      this.close(CloseCode.heartbeatTimeout, 'no heartbeat');
      return 0;
    }
    if (verdict === 'ping') this.send({ type: FrameType.ping, opaque: Math.floor(nowMs) });
    return this.#nextDueMs(nowMs);
  }

  /** Sends one of the session's own frames. */
  send(frame: Frame): void {
    this.worker.counters.framesOut += 1;
    this.#outbound.send(encodeFrame(frame), undefined);
  }

  respond(requestId: number, status: number, metadata: Readonly<Record<string, string>> = {}): void {
    this.send({ type: FrameType.response, requestId, status, metadata, payload: new Uint8Array(0) });
  }

  /** @param frame an encoded PUSH */
  push(frame: Uint8Array, businessId: number, ticket: Ticket, options?: DeliveryOptions): void {
    const business = this.#grants.get(businessId);
    if (business === undefined) return this.worker.settle(ticket, OutcomeCode.offline);
    if (this.#state === 'draining' || this.#state === 'closed') return this.worker.settle(ticket, OutcomeCode.closed);
    this.worker.counters.framesOut += 1;
    this.#outbound.send(frame, business, ticket, options);
  }

  /** A back-end asks this device. @param frame an encoded REQUEST whose id is `callId` */
  call(callId: number, businessId: number, frame: Uint8Array): void {
    this.#calls ??= new ServedCalls(this);
    this.#calls.start(callId, businessId, frame);
  }

  cancelCall(callId: number): void {
    this.#calls?.cancel(callId);
  }

  /** Whether the device takes what it is sent well enough to be asked something. */
  hasRoom(frameBytes: number): boolean {
    return this.#outbound.hasRoom(frameBytes);
  }

  /** Sends a frame of the session that others have encoded. */
  sendEncoded(frame: Uint8Array): void {
    this.worker.counters.framesOut += 1;
    this.#outbound.send(frame, undefined);
  }

  deliverShared(wire: Uint8Array, group: Group, turn: number): void {
    this.#outbound.deliverShared(wire, group, turn);
  }

  membershipEnded(group: Group): void {
    this.#memberships?.forget(group);
    this.send({
      type: FrameType.gap,
      businessId: group.business.id,
      group: group.name,
      dropped: 0,
      reason: GapReason.membershipEnded,
    });
  }

  gapFrame(businessId: number, group: string, dropped: number): Uint8Array {
    return encodeFrame({ type: FrameType.gap, businessId, group, dropped, reason: GapReason.slowConsumer });
  }

  slowConsumer(): void {
    this.close(CloseCode.slowConsumer, 'outbound queue is full');
  }

  get memberships(): Memberships {
    this.#memberships ??= new Memberships(this);
    return this.#memberships;
  }

  /** The device has a new token, verified and for the same device. */
  renew(claims: DeviceClaims): void {
    const { worker } = this;
    const isSameUser = claims.uid === this.#claims.uid;
    this.#claims = claims;
    // It may end sooner than the old one would have.
    worker.wheel.schedule(this, this.#nextDueMs(worker.now()));
    const grants = worker.grants.of(claims.app, claims.businesses);
    if (grants === this.#grants && isSameUser) return;
    this.#changeGrants(grants);
  }

  /** The node's configuration changed: what may no longer be granted to this app is withdrawn. */
  keepGrantable(): void {
    const { worker } = this;
    const { app } = this.#claims;
    const kept = [...this.#grants].filter(([id, { apps }]) => worker.businesses.has(id) && apps.has(app));
    if (kept.length === this.#grants.size) return;
    // Before the login is through, its own claim is still under way.
    if (this.#state === 'handshaking') this.#grants = new Map(kept);
    else this.#changeGrants(new Map(kept));
  }

  #changeGrants(grants: Grants): void {
    for (const business of this.#grants.values()) {
      if (!grants.has(business.id)) this.#memberships?.end(business);
    }
    this.#grants = grants;
    // Grants and user are part of the route.
    const { route } = this;
    if (route === undefined) return;
    this.worker.router.restore([route]).then(
      // Where the engine is away, the router goes on trying.
      (stands) => {
        if (stands?.[0] === false) this.routeLost();
      },
      () => this.close(CloseCode.internal, 'route lost'),
    );
  }

  /** What the route table is to hold of this session; `undefined` before the login is through. */
  get route(): RouteRestore | undefined {
    if (this.#fence === 0) return undefined;
    const { app, deviceId, uid } = this.#claims;
    return { serial: this.serial, app, deviceId, uid, grants: [...this.#grants.keys()], fence: this.#fence };
  }

  /** A newer login has taken the device's route. */
  routeLost(): void {
    this.close(CloseCode.replaced, 'a newer login');
  }

  /** Withdraws one business from this connection. @returns whether it was granted */
  revoke(business: Business): boolean {
    if (!this.#grants.has(business.id)) return false;
    this.#memberships?.end(business);
    this.#grants = withoutBusiness(this.#grants, business.id);
    return true;
  }

  claimRoute(): Promise<number> {
    const { app, deviceId, uid } = this.#claims;
    const grants = [...this.#grants.keys()];
    return this.worker.router.claim({ serial: this.serial, app, deviceId, uid, grants });
  }

  /**
   * Takes no new push, and asks the client to come back at a random moment within `windowMs`.
   *
   * @param accessPoint `host:port` of the connection's own protocol to prefer; empty for none
   */
  drain(reason: number, windowMs: number, accessPoint = ''): void {
    if (this.#state !== 'online') return;
    this.#state = move(this.#state, 'draining');
    // A multicast is a push too.
    this.#memberships?.endAll();
    this.send({ type: FrameType.goaway, reason, windowMs, accessPoint });
  }

  /** Ends the session with a code: what is queued leaves first, as far as the kernel takes it. */
  close(code: number, reason: string): void {
    if (this.#state === 'closed') return;
    this.#closeCode = code;
    this.#outbound.finish(encodeFrame({ type: FrameType.close, code, reason }));
    this.worker.counters.closed(code);
    this.#end();
    this.#transport.close(code, reason);
  }

  #applyAll(frames: readonly RawFrame[]): void {
    try {
      for (const raw of frames) {
        if (this.#state === 'closed') return;
        this.worker.counters.framesIn += 1;
        const frame = decodeFrame(raw);
        if (frame !== undefined) this.#apply(frame, raw);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #apply(frame: Frame, raw: RawFrame): void {
    switch (frame.type) {
      case FrameType.ping:
        return this.send({ type: FrameType.pong, opaque: frame.opaque });
      case FrameType.request:
      case FrameType.join:
      case FrameType.leave:
      case FrameType.auth:
        return this.#ask(frame);
      case FrameType.cancel:
        return this.#requests?.cancel(frame.requestId);
      case FrameType.close:
        return this.close(CloseCode.normal, 'bye');
      case FrameType.response:
        return this.#calls?.answer(frame.requestId, raw);
      case FrameType.report:
        return this.#report(frame);
      case FrameType.pong:
      case FrameType.ack:
        // A pong has proved life by arriving; an ack answers what this version never asks.
        return;
      default:
        throw new UnexpectedFrameError(frame.type, 'is not one a client sends after login');
    }
  }

  /** Whatever wants a RESPONSE is held to the request rate. */
  #ask(frame: RequestFrame | JoinFrame | LeaveFrame | AuthFrame): void {
    const { counters, limits } = this.worker;
    const nowMs = this.worker.now();
    this.#requestRate ??= new RequestRate(limits.requestsPerSecond, nowMs);
    const verdict = this.#requestRate.judge(limits.requestsPerSecond, nowMs);
    if (verdict !== 'serve') {
      counters.limitedRequests += 1;
      if (verdict === 'close') return this.close(CloseCode.policyViolation, 'too many requests');
      return this.respond(frame.requestId, Status.resourceExhausted, { 'trunkline-reason': 'rate' });
    }
    switch (frame.type) {
      case FrameType.request:
        this.#requests ??= new UpstreamRequests(this);
        return this.#requests.start(frame);
      case FrameType.join:
        return this.memberships.join(frame);
      case FrameType.leave:
        return this.memberships.leave(frame);
      case FrameType.auth:
        this.#refresh ??= new TokenRefresh(this);
        return this.#refresh.start(frame);
    }
  }

  #report({ measurements }: ReportFrame): void {
    const { worker } = this;
    const nowMs = worker.now();
    this.#reportRate ??= new ReportRate();
    if (!this.#reportRate.allows(nowMs)) {
      worker.counters.limitedReports += 1;
      return;
    }
    const heartbeatMs = announcedHeartbeatMs(measurements);
    if (heartbeatMs > 0) {
      this.#heartbeat.announce(heartbeatMs);
      // It may be due sooner than the wheel knows.
      worker.wheel.schedule(this, this.#nextDueMs(nowMs));
    }
    if (worker.isMeasuring) worker.measurements.take(this.#kind, this.protocol, measurements);
  }

  /** Frames cost work, whatever they say; so does an empty message, where the wire has messages. */
  #isFlood(frames: number, nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#framesInSecond = 0;
    }
    this.#framesInSecond += frames === 0 && this.envelope.wholeFrames ? 1 : frames;
    return this.#framesInSecond > maxFramesPerSecond(this.worker.limits.requestsPerSecond);
  }

  #fail(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.close(error.closeCode, error.message.slice(0, 120));
  }

  #nextDueMs(nowMs: number): number {
    const expiresInMs = this.#claims.expiresAtMs - this.worker.epochMs();
    return Math.max(Math.min(this.#heartbeat.nextTickMs(this.worker.heartbeat, nowMs), expiresInMs), 1);
  }

  #connack(): Uint8Array {
    const { worker } = this;
    return encodeFrame({
      type: FrameType.connack,
      status: Status.ok,
      version: PROTOCOL_VERSION,
      connectionId: this.connectionId,
      sessionId: this.connectionId,
      resumeSecret: new Uint8Array(0),
      resumed: false,
      heartbeatMs: this.#heartbeat.intervalMs(worker.heartbeat),
      serverTimeMs: worker.epochMs(),
      maxFrameBytes: worker.limits.frameBytes,
      maxInFlight: worker.limits.inFlight,
      maxGroups: worker.limits.groups,
      businesses: [...this.#grants.values()],
    });
  }

  #end(): void {
    this.#state = move(this.#state, 'closed');
    const { worker } = this;
    this.#transport.handler = CLOSED;
    this.#outbound.abandon();
    this.#requests?.abortAll();
    this.#calls?.abortAll();
    this.#memberships?.endAll();
    worker.wheel.remove(this);
    worker.sessions.delete(this.serial);
    this.#giveBack();
  }

  #giveBack(): void {
    this.#releaseRoute();
    this.#actor?.release();
  }

  #releaseRoute(): void {
    if (this.#fence === 0) return;
    const { app, deviceId } = this.#claims;
    this.worker.router.release({ app, deviceId, fence: this.#fence, code: this.#closeCode });
  }
}

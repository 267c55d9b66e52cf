/**
 * One connection, from dialling an access point to its end: frames both ways, the login, the heartbeat. It ends
 * exactly once and says what a client should do about it; coming back is the client's business. An open link logs in
 * when it is told to: of several that race, one does.
 *
 * What arrives together with CONNACK is kept until `attach`, because the opener learns of the login a moment
 * later than the bytes came.
 */
import {
  type ClientFrame,
  CloseCode,
  type CloseFrame,
  type ConnackFrame,
  decodeServerFrame,
  encodeClientFrame,
  FrameDecoder,
  FrameType,
  HEADER_BYTES,
  MAX_HANDSHAKE_FRAME_BYTES,
  type PingFrame,
  type PongFrame,
  PROTOCOL_VERSION,
  ProtocolError,
  type ReconnectAdvice,
  reconnectAdvice,
  type ServerFrame,
  Status,
  type StringMap,
  UnexpectedFrameError,
} from '../protocol/index.js';
import type { Target } from './bootstrap.js';
import type { Clock } from './clock.js';
import { Deferred } from './deferred.js';
import { ConnectError, PayloadTooLargeError } from './errors.js';
import { HeartbeatTimer } from './heartbeat-timer.js';
import type { Connector, Link, LinkPhase } from './transports/connector.js';

/** How long a probed link has to show life. */
const PROBE_ANSWER_MS = 5_000;

export interface ConnectionOptions {
  readonly target: Target;
  readonly connector: Connector;
  readonly token: string;
  readonly attributes: StringMap;
  /** From dialling to CONNACK. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Gives the attempt up. */
  readonly signal: AbortSignal;
  /** The attempt came a step further; with `isOpen`, `login` may be called. */
  readonly onProgress: (isOpen: boolean) => void;
}

/** How long each step took, in milliseconds; a step that the connector cannot see is part of the next one. */
export interface ConnectTimings {
  resolveMs?: number;
  connectMs?: number;
  secureMs?: number;
  loginMs?: number;
}

const TIMING_OF: Record<LinkPhase, keyof ConnectTimings> = {
  resolved: 'resolveMs',
  connected: 'connectMs',
  secured: 'secureMs',
};

/** Why a connection ended. */
export interface ConnectionEnd {
  /** Close code, either side's; undefined when the link just ended. */
  readonly code: number | undefined;
  readonly reason: string;
  readonly advice: ReconnectAdvice;
}

/** What a server has to say once it let the client in. */
export type BusinessFrame = Exclude<ServerFrame, ConnackFrame | CloseFrame | PingFrame | PongFrame>;

export interface ConnectionHandlers {
  onFrame(frame: BusinessFrame): void;
  /** Once, and not after `close`. */
  onEnd(end: ConnectionEnd): void;
}

export class Connection {
  readonly target: Target;
  readonly timings: ConnectTimings = {};
  readonly #options: ConnectionOptions;
  readonly #decoder = new FrameDecoder(MAX_HANDSHAKE_FRAME_BYTES);
  readonly #opened = new Deferred<Connection>();
  readonly #link: Link;
  readonly #early: BusinessFrame[] = [];
  #phase: 'dialling' | 'handshaking' | 'online' | 'ended' = 'dialling';
  #connack: ConnackFrame | undefined;
  #heartbeat: HeartbeatTimer | undefined;
  readonly #cancelTimer: () => void;
  #stepStartedMs: number;
  #handlers: ConnectionHandlers | undefined;
  #end: ConnectionEnd | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.target = options.target;
    this.#stepStartedMs = options.clock.nowMs();
    options.signal.addEventListener('abort', this.#onAbort);
    this.#cancelTimer = options.clock.setTimer(() => this.#giveUp(CloseCode.handshakeTimeout), options.timeoutMs);
    this.#link = options.connector(options.target.accessPoint, {
      onPhase: (phase) => this.#guard(() => this.#progress(TIMING_OF[phase], false)),
      onOpen: () => this.#guard(() => this.#progress('connectMs', true)),
      onBytes: (bytes) => this.#guard(() => this.#receive(bytes)),
      onClose: (error, code) => {
        const advice = code === undefined ? 'reconnect' : reconnectAdvice(code);
        this.#finish(code, error?.message ?? 'the link ended', advice, error);
      },
    });
  }

  /**
   * Resolves when the login succeeded.
   *
   * @throws {ConnectError} the link failed, the login was refused, or it took too long
   */
  get opened(): Promise<Connection> {
    return this.#opened.promise;
  }

  /** What the server said at login. */
  get connack(): ConnackFrame {
    if (this.#connack === undefined) throw new TypeError('not logged in');
    return this.#connack;
  }

  /** Of the live link; undefined before the login and after the end. */
  get heartbeat(): HeartbeatTimer | undefined {
    return this.#heartbeat;
  }

  /** Takes over frames and the end, including what came before this call. */
  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    for (const frame of this.#early.splice(0)) handlers.onFrame(frame);
    if (this.#end !== undefined) handlers.onEnd(this.#end);
  }

  /** @throws {PayloadTooLargeError} the server would refuse the frame; nothing was sent */
  send(frame: ClientFrame): void {
    const bytes = encodeClientFrame(frame);
    const limit = this.#maxFrameBytes;
    if (bytes.length - HEADER_BYTES > limit) throw new PayloadTooLargeError(bytes.length - HEADER_BYTES, limit);
    this.#link.send(bytes);
    this.#heartbeat?.sent();
  }

  /** Asks for a sign of life, soon: the network may have changed underneath. */
  probe(): void {
    this.#heartbeat?.ping(PROBE_ANSWER_MS);
  }

  /** Says goodbye and ends the link; `onEnd` is not called. */
  close(code: number = CloseCode.normal, reason = ''): void {
    this.#handlers = undefined;
    if (this.#phase === 'handshaking' || this.#phase === 'online') this.send({ type: FrameType.close, code, reason });
    this.#finish(code, reason, 'stay-away');
  }

  get #isEnded(): boolean {
    return this.#phase === 'ended';
  }

  /** In force in both directions. */
  get #maxFrameBytes(): number {
    return this.#phase === 'online' ? this.connack.maxFrameBytes : MAX_HANDSHAKE_FRAME_BYTES;
  }

  readonly #onAbort = (): void => this.close(CloseCode.normal, 'given up');

  /** Sends CONNECT. The link is open, and this is called once. */
  login(): void {
    this.#phase = 'handshaking';
    // The time it stood open, behind another one's login, is nobody's.
    this.#stepStartedMs = this.#options.clock.nowMs();
    this.#guard(() =>
      this.send({
        type: FrameType.connect,
        minVersion: PROTOCOL_VERSION,
        maxVersion: PROTOCOL_VERSION,
        token: this.#options.token,
        attributes: this.#options.attributes,
      }),
    );
  }

  #progress(step: keyof ConnectTimings, isOpen: boolean): void {
    const nowMs = this.#options.clock.nowMs();
    this.timings[step] ??= nowMs - this.#stepStartedMs;
    this.#stepStartedMs = nowMs;
    this.#options.onProgress(isOpen);
  }

  #receive(bytes: Uint8Array): void {
    this.#heartbeat?.received();
    let at = 0;
    // Byte by byte until CONNACK is read: its limit holds for what came behind it in the same piece.
    while (this.#phase === 'handshaking' && at < bytes.length) this.#decode(bytes.subarray(at, ++at));
    if (at < bytes.length) this.#decode(bytes.subarray(at));
  }

  #decode(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    for (const raw of this.#decoder.decode(bytes)) {
      // An earlier frame's listener may have closed the client.
      if (this.#isEnded) return;
      const frame = decodeServerFrame(raw);
      if (frame !== undefined) this.#dispatch(frame);
    }
  }

  #dispatch(frame: ServerFrame): void {
    switch (frame.type) {
      case FrameType.connack:
        return this.#onConnack(frame);
      case FrameType.close:
        return this.#finish(frame.code, frame.reason, reconnectAdvice(frame.code));
      case FrameType.ping:
        return this.send({ type: FrameType.pong, opaque: frame.opaque });
      case FrameType.pong:
        return this.#heartbeat?.ponged(frame.opaque);
      default:
        if (this.#phase !== 'online') throw new UnexpectedFrameError(frame.type, 'came before CONNACK');
        return this.#handlers === undefined ? void this.#early.push(frame) : this.#handlers.onFrame(frame);
    }
  }

  #onConnack(frame: ConnackFrame): void {
    if (this.#connack !== undefined) throw new UnexpectedFrameError(frame.type, 'came twice');
    this.#connack = frame;
    // A refusal: the CLOSE that follows says what to do.
    if (frame.status !== Status.ok) return;
    this.#phase = 'online';
    this.timings.loginMs = this.#options.clock.nowMs() - this.#stepStartedMs;
    this.#decoder.maxFrameBytes = frame.maxFrameBytes;
    this.#cancelTimer();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#heartbeat = new HeartbeatTimer({
      intervalMs: frame.heartbeatMs,
      clock: this.#options.clock,
      sendPing: (opaque) => this.send({ type: FrameType.ping, opaque }),
      onStale: () => this.#giveUp(CloseCode.heartbeatTimeout),
    });
    this.#opened.resolve(this);
  }

  /** Runs what handles the server's bytes; a fault in them ends this connection and nothing else. */
  #guard(step: () => void): void {
    try {
      if (this.#phase !== 'ended') step();
    } catch (error) {
      const code = error instanceof ProtocolError ? error.closeCode : CloseCode.internal;
      this.#giveUp(code, error as Error);
    }
  }

  /** Ends the connection from this side; the client comes back. */
  #giveUp(code: number, cause?: Error): void {
    const reason = cause?.message ?? (code === CloseCode.handshakeTimeout ? 'no login in time' : 'no sign of life');
    if (this.#phase !== 'dialling') this.send({ type: FrameType.close, code, reason: reason.slice(0, 40) });
    // A CONNECT that is too large for any server stays so.
    this.#finish(code, reason, cause instanceof PayloadTooLargeError ? 'stay-away' : 'reconnect', cause);
  }

  #finish(code: number | undefined, reason: string, advice: ReconnectAdvice, cause?: Error): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#cancelTimer();
    // Said goodbye to, it was not lost.
    if (code === undefined || code === CloseCode.heartbeatTimeout) this.#heartbeat?.lost();
    this.#heartbeat?.stop();
    this.#heartbeat = undefined;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#link.close();
    const refusedToken = code === undefined && this.#connack?.status === Status.unauthenticated;
    this.#end = { code, reason, advice: refusedToken ? 'new-token' : advice };
    // Without effect once the login succeeded.
    this.#opened.reject(new ConnectError(code, reason, this.#end.advice, cause));
    this.#handlers?.onEnd(this.#end);
  }
}

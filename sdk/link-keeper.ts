/**
 * Keeps one connection alive: dial, serve, wait, dial again, with the server's advice first and the jittered
 * back-off where there is none. Every change of state passes through `#enter`.
 *
 * A GOAWAY is followed by making the next connection while the present one serves on; the swap happens at the new
 * login. Everything runs in callbacks of links and timers, one at a time, but listeners run inside them and may
 * close the client: so each step finishes its own work before it tells anybody.
 */
import { CloseCode, type GoAwayFrame, type ReconnectAdvice } from '../protocol/index.js';
import { RetryPolicy } from './backoff.js';
import { type ClientState, move } from './client-state.js';
import type { BusinessFrame, Connection, ConnectionEnd } from './connection.js';
import type { CredentialsKeeper } from './credentials-keeper.js';
import { Deferred } from './deferred.js';
import { type Choice, Dialer, type DialPhase } from './dialer.js';
import { BootstrapError, ClientClosedError, ConnectError, NoTransportError } from './errors.js';
import { asError, type EventHub } from './events.js';
import type { ResolvedOptions } from './options.js';
import { Relocation } from './relocation.js';

export interface LinkKeeperPorts {
  readonly credentials: CredentialsKeeper;
  readonly hub: EventHub;
  readonly whenIdle: (callback: (() => void) | undefined) => void;
  /** The next connection could not be made: the present one serves on. */
  readonly onStay: () => void;
  /** Logged in; also when another connection took the place of the present one, after `onLost`. */
  readonly onOnline: (connection: Connection, choice: Choice) => void;
  readonly onFrame: (frame: BusinessFrame, connection: Connection) => void;
  readonly onLost: () => void;
  /** No connection could be made; another attempt may follow. */
  readonly onFailed: () => void;
  readonly onClosed: (error: ClientClosedError) => void;
}

export class LinkKeeper {
  readonly #options: ResolvedOptions;
  readonly #ports: LinkKeeperPorts;
  readonly #dialer: Dialer;
  readonly #retry = new RetryPolicy();
  readonly #relocation: Relocation;
  #state: ClientState = 'idle';
  #connection: Connection | undefined;
  /** Aborts the attempt under way. */
  #dialling: AbortController | undefined;
  /** How far the attempt under way is; shown as the state only while there is no connection. */
  #phase: DialPhase | 'bootstrapping' = 'bootstrapping';
  #cancelTimer = (): void => {};
  /** No hint makes us come back before the moment that Retry-After named. */
  #notBeforeMs = 0;
  #ready: Deferred<void> | undefined;
  #forgetHints = (): void => {};

  constructor(options: ResolvedOptions, ports: LinkKeeperPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#dialer = new Dialer(options);
    this.#relocation = new Relocation({
      clock: options.clock,
      random: options.random,
      whenIdle: ports.whenIdle,
      onMoment: () => void this.#dial(),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** @returns resolves at the next login; rejects when the client closes before */
  open(): Promise<void> {
    if (this.#state === 'online') return Promise.resolve();
    this.#ready ??= new Deferred();
    const { promise } = this.#ready;
    // Who does not wait for it learns of a failure by events.
    promise.catch(() => {});
    if (this.#state === 'idle' || this.#state === 'closed') {
      this.#retry.reset();
      this.#forgetHints = this.#options.networkHints(() => this.hint());
      void this.#dial();
    }
    return promise;
  }

  close(): void {
    if (this.#state !== 'closed') this.#shut(new ClientClosedError());
  }

  /** Gives the present connection up and makes another one at once. */
  reconnect(): void {
    this.#connection?.close(CloseCode.goingAway, 'reconnect');
    if (this.#connection !== undefined) this.#ended({ code: undefined, reason: 'reconnect', advice: 'reconnect' }, 0);
    if (this.#state === 'waiting') void this.#dial();
  }

  /** The network may be back, or another one. */
  hint(): void {
    this.#connection?.probe();
    const nowMs = this.#options.clock.nowMs();
    if (nowMs < this.#notBeforeMs || !this.#retry.hasBudget(nowMs)) return;
    this.#dialer.forgive();
    // What is being opened may be opened over a network that is gone.
    if (this.#state === 'connecting') this.#stopDialling();
    if (this.#state === 'waiting' || this.#state === 'connecting') void this.#dial();
  }

  followGoAway({ reason, windowMs, accessPoint }: GoAwayFrame): void {
    if (this.#connection !== undefined) this.#dialer.prefer(accessPoint, this.#connection.target);
    const moveInMs = this.#relocation.plan(windowMs);
    this.#ports.hub.emit({ type: 'goaway', reason, windowMs, moveInMs });
  }

  async #dial(): Promise<void> {
    if (this.#dialling !== undefined) return;
    this.#cancelTimer();
    this.#retry.attempted(this.#options.clock.nowMs());
    const abort = new AbortController();
    this.#dialling = abort;
    const dialled = await this.#attempt(abort.signal).catch((error: unknown) => asError(error));
    const isWanted = this.#dialling === abort;
    if (isWanted) this.#dialling = undefined;
    if (dialled instanceof Error) return isWanted ? this.#failed(dialled) : undefined;
    return isWanted ? this.#adopt(dialled.connection, dialled) : dialled.connection.close();
  }

  async #attempt(signal: AbortSignal): ReturnType<Dialer['dial']> {
    let credentials = this.#ports.credentials.usable;
    if (credentials === undefined) {
      this.#enterPhase('bootstrapping');
      credentials = await this.#ports.credentials.fetch();
      signal.throwIfAborted();
    }
    return this.#dialer.dial(credentials, signal, (phase) => this.#enterPhase(phase));
  }

  #adopt(connection: Connection, choice: Choice): void {
    const { credentials, hub, onFrame, onLost, onOnline } = this.#ports;
    this.#relocation.cancel();
    const previous = this.#connection;
    this.#connection = connection;
    if (previous !== undefined) {
      previous.close(CloseCode.goingAway, 'moved');
      onLost();
    }
    const { connectionId, serverTimeMs, businesses } = connection.connack;
    this.#retry.online(this.#options.clock.nowMs());
    credentials.startRenewal(serverTimeMs);
    onOnline(connection, choice);
    this.#ready?.resolve();
    this.#ready = undefined;
    this.#enter('online');
    if (this.#connection !== connection) return;
    hub.emit({
      type: 'online',
      connectionId,
      ...connection.target,
      deviceId: credentials.deviceId,
      businesses: businesses.map(({ name }) => name),
      why: choice.why,
      losers: choice.losers,
    });
    if (this.#connection !== connection) return;
    connection.attach({
      onFrame: (frame) => onFrame(frame, connection),
      onEnd: (end) => this.#ended(end, this.#relocation.leftMs),
    });
  }

  /** @param plannedMs when to come back, if that is settled already */
  #ended(ended: ConnectionEnd, plannedMs: number | undefined): void {
    // Replaced, but perhaps by a login of our own that was given up: no other holder of the id is to be feared.
    const isByGhost = ended.code === CloseCode.replaced && this.#dialer.mayHaveGhost;
    const end: ConnectionEnd = isByGhost ? { ...ended, advice: 'reconnect' } : ended;
    this.#connection = undefined;
    this.#relocation.cancel();
    this.#ports.credentials.stopRenewal();
    this.#ports.onLost();
    // The next connection is being made: the old one ended in favour of it, or a little early.
    if (this.#dialling !== undefined) return this.#enter(this.#phase);
    this.#cancelTimer();
    this.#pause(end, plannedMs);
  }

  #failed(error: Error): void {
    const end = endOf(error);
    this.#ports.onFailed();
    if (this.#connection === undefined) this.#pause(end, undefined, error);
    else {
      this.#ports.onStay();
      if (end.advice !== 'stay-away') this.#schedule(end, undefined, error);
    }
    this.#ports.hub.emit({ type: 'error', error });
  }

  #pause(end: ConnectionEnd, plannedMs: number | undefined, cause?: Error): void {
    const { hub } = this.#ports;
    if (end.advice === 'stay-away') {
      this.#shut(new ClientClosedError(end.code, end.reason), cause);
      return hub.emit({ type: 'offline', ...end, nextAttemptMs: undefined });
    }
    const nextAttemptMs = this.#schedule(end, plannedMs, cause);
    this.#enter('waiting');
    if (this.#state === 'waiting') hub.emit({ type: 'offline', ...end, nextAttemptMs });
  }

  /** @returns how long until the next attempt */
  #schedule({ advice, code }: ConnectionEnd, plannedMs: number | undefined, cause: Error | undefined): number {
    const { clock, random } = this.#options;
    const { credentials } = this.#ports;
    if (advice === 'new-token') credentials.forget();
    const retryAfterMs = (cause instanceof BootstrapError && cause.retryAfterMs) || 0;
    this.#notBeforeMs = clock.nowMs() + retryAfterMs;
    // The jitter comes on top of what the server asked for: it asked everybody for the same.
    const isSilentLoss = cause === undefined && code === undefined;
    const ownMs = (): number => this.#retry.nextDelayMs(credentials.retry, random(), clock.nowMs(), isSilentLoss);
    const delayMs = plannedMs ?? retryAfterMs + ownMs();
    this.#cancelTimer = clock.setTimer(() => void this.#dial(), delayMs);
    return delayMs;
  }

  #shut(closed: ClientClosedError, cause: Error = closed): void {
    this.#cancelTimer();
    this.#relocation.cancel();
    this.#ports.credentials.stopRenewal();
    this.#forgetHints();
    this.#stopDialling();
    this.#connection?.close();
    this.#connection = undefined;
    this.#ports.onClosed(closed);
    this.#ready?.reject(cause);
    this.#ready = undefined;
    this.#enter('closed');
  }

  #stopDialling(): void {
    this.#dialling?.abort();
    this.#dialling = undefined;
  }

  #enterPhase(phase: DialPhase | 'bootstrapping'): void {
    this.#phase = phase;
    if (this.#connection === undefined) this.#enter(phase);
  }

  #enter(state: ClientState): void {
    if (state === this.#state) return;
    const previous = this.#state;
    this.#state = move(previous, state);
    this.#ports.hub.emit({ type: 'state', state, previous });
  }
}

/** What a failed attempt means for the next one. */
function endOf(error: Error): ConnectionEnd {
  if (error instanceof ConnectError) return { code: error.closeCode, reason: error.reason, advice: error.advice };
  const isFinal = error instanceof NoTransportError || (error instanceof BootstrapError && !error.retryable);
  const advice: ReconnectAdvice = isFinal ? 'stay-away' : 'reconnect';
  return { code: undefined, reason: error.message, advice };
}

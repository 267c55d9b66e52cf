/**
 * The shared client in a tab: the surface of TrunklineClient over a port to the worker that holds the connection.
 * Should the worker die, the tab attaches to the next one and says again what it wants; to the application that is
 * an interruption of the connection, as any other.
 */
import { GapReason } from '../../protocol/index.js';
import type { GroupPosition } from '../calls.js';
import type { ClientState } from '../client-state.js';
import { type Clock, systemClock } from '../clock.js';
import { Deferred } from '../deferred.js';
import { ClientClosedError, ConnectionLostError } from '../errors.js';
import { asError, type ClientEvent, type ClientEventOf, type ClientEventType, EventHub } from '../events.js';
import { Push } from '../message.js';
import { fromPlainError } from './error-codec.js';
import type { LockManagerLike } from './life-signs.js';
import type { PortLike } from './port-channel.js';
import type { TabQuestion, WorkerNotice, WorkerQuestion } from './port-messages.js';
import type { SharedClient } from './shared-client.js';
import type { SharedCallbacks, SharedSettings } from './shared-settings.js';
import { TabChannel, type TabChannelPorts } from './tab-channel.js';
import { TabMemberships } from './tab-memberships.js';
import { WorkerLine } from './worker-line.js';

/** A worker that has not welcomed the tab by then was not loaded. */
const WELCOME_LIMIT_MS = 20_000;
/** Between attempts to attach, once there was a worker. */
const REATTACH_DELAY_MS = 2_000;

export interface TabClientOptions {
  readonly settings: SharedSettings;
  readonly callbacks: SharedCallbacks;
  /** A port to the worker, a new one each time; the worker is started if it is not there. */
  readonly openPort: (onFailed: (error: Error) => void) => PortLike;
  readonly locks: LockManagerLike | undefined;
  readonly clock?: Clock | undefined;
}

export class TabClient implements SharedClient {
  readonly link = 'shared';
  readonly #options: TabClientOptions;
  readonly #clock: Clock;
  readonly #hub = new EventHub();
  readonly #channels = new Map<string, TabChannel>();
  readonly #memberships = new TabMemberships();
  readonly #ports: TabChannelPorts;
  #state: ClientState = 'idle';
  #deviceId: string | undefined;
  /** `connect` was called: the events of the connection are this tab's too. */
  #follows = false;
  #connecting: Promise<void> | undefined;
  #suspended = false;
  #line: WorkerLine | undefined;
  /** Resolves when the worker has welcomed this tab; undefined while there is nothing to wait for. */
  #attaching: Deferred<WorkerLine> | undefined;
  #cancelRetry = (): void => {};

  constructor(options: TabClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#ports = {
      ask: (question, signal) => this.#ask(question, signal),
      tell: (notice) => this.#line?.tell(notice),
      guard: (callback) => this.#hub.guard(callback),
      memberships: this.#memberships,
    };
  }

  get state(): ClientState {
    return this.#state;
  }

  get deviceId(): string | undefined {
    return this.#deviceId;
  }

  /**
   * Attaches to the worker; nothing is connected by that.
   *
   * @throws {InvalidOptionError} an option is wrong; any other error: there is no worker to attach to
   */
  async attach(): Promise<void> {
    const attaching = this.#wait();
    try {
      this.#adopt(await this.#openLine(), attaching);
    } catch (error) {
      this.#attaching = undefined;
      attaching.reject(asError(error));
      throw error;
    }
  }

  /** As TrunklineClient; the connection may be there already, then it is told as new: `online` follows. */
  connect(): Promise<void> {
    this.#follows = true;
    if (this.#line === undefined && this.#attaching === undefined) {
      this.#wait();
      void this.#reattach();
    }
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    // Who does not wait for it learns of a failure by events.
    this.#connecting.catch(() => {});
    return this.#connecting;
  }

  /** This tab's part: the connection ends when the last tab has closed. */
  close(): void {
    this.#follows = false;
    this.#detach(new ClientClosedError());
    this.#memberships.allEnded();
    this.#enter('closed');
  }

  /** For every tab. */
  reconnect(): void {
    this.#line?.tell({ kind: 'reconnect' });
  }

  on<T extends ClientEventType>(type: T, listener: (event: ClientEventOf<T>) => void): () => void {
    return this.#hub.on(type, listener);
  }

  business(name: string): TabChannel {
    const channel = this.#channels.get(name) ?? new TabChannel(name, this.#ports);
    this.#channels.set(name, channel);
    return channel;
  }

  /** The page is visible again. */
  hint(): void {
    this.#line?.tell({ kind: 'hint' });
  }

  /** The page goes, perhaps to come back: the worker forgets this tab at once. */
  suspend(): void {
    this.#suspended = this.#line !== undefined || this.#attaching !== undefined;
    this.#detach(new ConnectionLostError());
  }

  /** The page came back after `suspend`. */
  resume(): void {
    if (this.#suspended) this.#lost('the page was away');
  }

  async #connect(): Promise<void> {
    // A worker that dies on the way is followed to the next.
    for (;;) {
      const line = await this.#attached();
      if (this.#state === 'online') return;
      try {
        return await line.ask<void>({ kind: 'connect' });
      } catch (error) {
        if (line === this.#line || !this.#follows) throw error;
      }
    }
  }

  async #ask<T>(question: TabQuestion, signal?: AbortSignal): Promise<T> {
    return (await this.#attached()).ask<T>(question, signal);
  }

  async #attached(): Promise<WorkerLine> {
    if (this.#attaching !== undefined) return this.#attaching.promise;
    if (this.#line === undefined) throw new ClientClosedError();
    return this.#line;
  }

  /** Calls from now on wait for the next line. */
  #wait(): Deferred<WorkerLine> {
    this.#attaching ??= new Deferred<WorkerLine>();
    this.#attaching.promise.catch(() => {});
    return this.#attaching;
  }

  /** What the tab wants is said to a worker that knows nothing of it. */
  #adopt(line: WorkerLine, attaching: Deferred<WorkerLine>): void {
    this.#attaching = undefined;
    this.#line = line;
    for (const channel of this.#channels.values()) channel.announce();
    attaching.resolve(line);
  }

  async #openLine(): Promise<WorkerLine> {
    const { openPort, settings, locks } = this.#options;
    const line: WorkerLine = new WorkerLine({
      port: openPort((error) => line.end(error)),
      settings,
      locks,
      clock: this.#clock,
      handlers: {
        onNotice: (notice) => this.#told(notice),
        onQuestion: (question, signal) => this.#asked(question, signal),
      },
      onLost: () => this.#lost('the shared worker ended'),
    });
    const late = new Error(`the shared worker did not answer within ${WELCOME_LIMIT_MS} ms`);
    const cancelTimer = this.#clock.setTimer(() => line.end(late), WELCOME_LIMIT_MS);
    try {
      await line.open();
      return line;
    } catch (error) {
      line.end(asError(error));
      throw error;
    } finally {
      cancelTimer();
    }
  }

  #detach(error: Error): void {
    this.#cancelRetry();
    const attaching = this.#attaching;
    this.#attaching = undefined;
    attaching?.reject(error);
    this.#line?.end(error);
    this.#line = undefined;
  }

  /** There is no worker any more that knows this tab. */
  #lost(reason: string): void {
    this.#detach(new ConnectionLostError());
    this.#wait();
    if (this.#follows) {
      this.#enter('waiting');
      const event = { type: 'offline', code: undefined, reason, advice: 'reconnect', nextAttemptMs: 0 } as const;
      if (this.#state === 'waiting') this.#hub.emit(event);
    }
    if (this.#attaching !== undefined) void this.#reattach();
  }

  async #reattach(): Promise<void> {
    const attaching = this.#attaching;
    let line: WorkerLine;
    try {
      line = await this.#openLine();
    } catch (error) {
      if (this.#attaching !== attaching) return;
      this.#cancelRetry = this.#clock.setTimer(() => void this.#reattach(), REATTACH_DELAY_MS);
      return this.#hub.emit({ type: 'error', error: asError(error) });
    }
    if (attaching === undefined || this.#attaching !== attaching) return line.end(new ClientClosedError());
    this.#adopt(line, attaching);
    if (this.#follows) void this.connect();
    for (const { business, group, ...before } of this.#memberships.all) {
      void this.#rejoin(line, business, group, before);
    }
  }

  async #rejoin(line: WorkerLine, business: string, group: string, before: GroupPosition): Promise<void> {
    try {
      const position = await line.ask<GroupPosition>({ kind: 'join', business, group });
      this.#memberships.moved(business, group, position);
      const dropped = position.epoch === before.epoch ? position.offset - before.offset : 0;
      if (dropped === 0 && position.epoch === before.epoch) return;
      this.#hub.emit({ type: 'gap', business, group, dropped, reason: GapReason.historyLost });
    } catch (error) {
      if (line !== this.#line) return;
      this.#memberships.ended(business, group);
      this.#hub.emit({ type: 'rejoin-failed', business, group, error: asError(error), retrying: false });
    }
  }

  #told(notice: WorkerNotice): void {
    switch (notice.kind) {
      case 'snapshot':
        this.#deviceId = notice.deviceId;
        this.#enter(notice.state);
        if (notice.online !== undefined && this.#state === 'online') this.#hub.emit(notice.online);
        return;
      case 'event':
        return this.#happened(notice);
      case 'push': {
        const { business, messageId, metadata, payload, origin, position } = notice;
        if (origin !== undefined) this.#memberships.moved(business, origin.group, position);
        return this.#channels.get(business)?.deliver(new Push(messageId, metadata, payload, origin));
      }
    }
  }

  #happened({ event: plain, deviceId, position }: Extract<WorkerNotice, { kind: 'event' }>): void {
    const error = plain.error === undefined ? {} : { error: fromPlainError(plain.error) };
    const event = { ...plain, ...error } as ClientEvent;
    this.#deviceId = deviceId;
    if ('group' in event) this.#memberships.moved(event.business, event.group, position);
    this.#memberships.heard(event);
    if (!this.#follows) return;
    if (event.type === 'state') this.#enter(event.state);
    else this.#hub.emit(event);
  }

  async #asked(question: WorkerQuestion, signal: AbortSignal): Promise<unknown> {
    const { credentials, assertion, storage } = this.#options.callbacks;
    switch (question.kind) {
      case 'credentials':
        return credentials?.();
      case 'assertion':
        return assertion?.();
      case 'identity':
        return storage?.get();
      case 'keep-identity':
        return storage?.set(question.identity);
      case 'serve':
        return this.business(question.served.business).serve(question, signal);
    }
  }

  #enter(state: ClientState): void {
    if (state === this.#state) return;
    const previous = this.#state;
    this.#state = state;
    this.#hub.emit({ type: 'state', state, previous });
  }
}

/**
 * The client an application sees: one connection to the service, shared by every business. This file wires the
 * parts together and hands each frame to the one it concerns; keeping the connection alive is `link-keeper.ts`.
 */
import { FrameType, type GapFrame, GapReason, type PushFrame, Status } from '../protocol/index.js';
import { backoffMs } from './backoff.js';
import type { Credentials, Features } from './bootstrap.js';
import { BusinessChannel } from './business-channel.js';
import { Businesses } from './businesses.js';
import { Calls } from './calls.js';
import type { ClientState } from './client-state.js';
import type { BusinessFrame, Connection } from './connection.js';
import { CredentialsKeeper } from './credentials-keeper.js';
import type { Choice } from './dialer.js';
import { RequestError } from './errors.js';
import { type ClientEventOf, type ClientEventType, EventHub } from './events.js';
import { LinkKeeper } from './link-keeper.js';
import { Memberships } from './memberships.js';
import { Push } from './message.js';
import { type ResolvedOptions, resolveOptions, type TrunklineClientOptions } from './options.js';
import { Pulse } from './pulse/pulse.js';
import { PushAcks } from './push-acks.js';
import { RequestTable } from './request-table.js';
import { ServedRequests } from './served-requests.js';

const KNOWN_GAP_REASONS: ReadonlySet<number> = new Set(Object.values(GapReason));

export class TrunklineClient {
  readonly #hub = new EventHub();
  readonly #businesses = new Businesses();
  readonly #channels = new Map<string, BusinessChannel>();
  readonly #table: RequestTable;
  readonly #calls: Calls;
  readonly #served: ServedRequests;
  readonly #memberships: Memberships;
  readonly #acks = new PushAcks();
  readonly #credentials: CredentialsKeeper;
  readonly #pulse: Pulse;
  readonly #link: LinkKeeper;

  /** @throws {InvalidOptionError} names the option */
  constructor(clientOptions: TrunklineClientOptions) {
    const options = resolveOptions(clientOptions);
    const { clock, random } = options;
    this.#table = new RequestTable(clock, options.maxQueuedRequests);
    this.#calls = new Calls(this.#table, (name) => this.#businesses.idOf(name), options.requestDeadlineMs);
    this.#served = new ServedRequests((id, method) => this.#handlerOf(id, method), clock);
    this.#credentials = new CredentialsKeeper({
      fetch: options.credentials,
      clock,
      random,
      renew: (credentials) => this.#renew(credentials),
      onError: (error) => this.#hub.emit({ type: 'error', error }),
    });
    this.#memberships = this.#createMemberships(options);
    const pulse = new Pulse(options);
    this.#pulse = pulse;
    // Asked anew at each CONNECT.
    const connectOptions = {
      ...options,
      get attributes() {
        const { wantedMs } = pulse;
        return wantedMs ? { ...options.attributes, 'heartbeat-ms': `${wantedMs}` } : options.attributes;
      },
    };
    this.#link = new LinkKeeper(connectOptions, {
      credentials: this.#credentials,
      hub: this.#hub,
      whenIdle: (callback) => this.#table.whenIdle(callback),
      onStay: () => this.#table.release(),
      onOnline: (connection, choice) => this.#online(connection, choice),
      onFrame: (frame, connection) => this.#dispatch(frame, connection),
      onFailed: () => this.#pulse.failed(),
      onLost: () => {
        this.#pulse.offline();
        this.#table.lost();
        this.#served.reset();
      },
      onClosed: (error) => {
        this.#pulse.offline();
        this.#table.closed(error);
        this.#served.reset();
        this.#memberships.allEnded();
      },
    });
  }

  get state(): ClientState {
    return this.#link.state;
  }

  /** As the control layer named this device; undefined before the first bootstrap. */
  get deviceId(): string | undefined {
    return this.#credentials.deviceId;
  }

  /** Flags that the control layer set for this device; empty before the first bootstrap. */
  get features(): Features {
    return this.#credentials.latest?.features ?? {};
  }

  /**
   * Connects, and stays connected until `close`. Failures that waiting can help are tried again without end.
   *
   * @returns resolves at the login; at once when online
   * @throws {ConnectError | BootstrapError | NoTransportError} the service said to stay away; `state` is `closed`
   * @throws {ClientClosedError} `close` was called first
   */
  connect(): Promise<void> {
    return this.#link.open();
  }

  /** Says goodbye and ends; requests without an answer reject. `connect` may be called again. */
  close(): void {
    this.#link.close();
  }

  /** Gives the present connection up and makes another one at once; ends a wait early. */
  reconnect(): void {
    this.#link.reconnect();
  }

  /** @returns takes the listener off again */
  on<T extends ClientEventType>(type: T, listener: (event: ClientEventOf<T>) => void): () => void {
    return this.#hub.on(type, listener);
  }

  /** The channel of one business, the same object each time. Whether it is granted shows when it is used. */
  business(name: string): BusinessChannel {
    const listeners = this.#businesses.listenersOf(name);
    const channel = this.#channels.get(name) ?? new BusinessChannel(name, this.#calls, this.#memberships, listeners);
    this.#channels.set(name, channel);
    return channel;
  }

  #createMemberships({ clock, random }: ResolvedOptions): Memberships {
    return new Memberships({
      calls: this.#calls,
      clock,
      isOnline: () => this.#link.connection !== undefined,
      retryDelayMs: () => this.#credentials.retry.minMs + backoffMs(1, this.#credentials.retry, random()),
      onMissed: (business, group, dropped) =>
        this.#hub.emit({ type: 'gap', business, group, dropped, reason: GapReason.historyLost }),
      onRejoinFailed: (business, group, error, retrying) =>
        this.#hub.emit({ type: 'rejoin-failed', business, group, error, retrying }),
    });
  }

  #online(connection: Connection, choice: Choice): void {
    this.#businesses.grant(connection.connack.businesses);
    const { target, timings } = connection;
    const { why, losers } = choice;
    this.#pulse.online(connection, this.#credentials.settings, { protocol: target.protocol, why, losers, ...timings });
    this.#acks.reset();
    this.#memberships.rejoinAll();
    this.#table.resume(connection);
  }

  #dispatch(frame: BusinessFrame, connection: Connection): void {
    switch (frame.type) {
      case FrameType.response:
        return this.#table.answered(frame);
      case FrameType.push:
        return this.#pushed(frame, connection);
      case FrameType.request:
        return void this.#served.serve(frame, connection.connack.maxInFlight, (response) => connection.send(response));
      case FrameType.cancel:
        return this.#served.cancel(frame.requestId);
      case FrameType.gap:
        return this.#gap(frame);
      case FrameType.goaway:
        return this.#link.followGoAway(frame);
    }
  }

  #pushed(frame: PushFrame, connection: Connection): void {
    this.#deliver(frame);
    if (frame.sequence === undefined) return;
    const { businessId } = frame;
    const sequence = this.#acks.arrived(businessId, frame.sequence);
    if (sequence > 0) connection.send({ type: FrameType.ack, businessId, sequence });
  }

  #deliver({ businessId, messageId, metadata, payload, multicast }: PushFrame): void {
    const business = this.#businesses.nameOf(businessId);
    if (business === undefined) return;
    if (multicast !== undefined) this.#memberships.seen(business, multicast.group, multicast.offset);
    const push = new Push(messageId, metadata, payload, multicast);
    this.#businesses.listenersOf(business).deliver(push, (callback) => this.#hub.guard(callback));
  }

  #gap({ businessId, group, dropped, reason: given }: GapFrame): void {
    // As the protocol has it, a reason nobody knows counts as the first.
    const reason = KNOWN_GAP_REASONS.has(given) ? given : GapReason.slowConsumer;
    const business = this.#businesses.nameOf(businessId) ?? '';
    if (reason === GapReason.membershipEnded) this.#memberships.ended(business, group);
    this.#hub.emit({ type: 'gap', business, group, dropped, reason });
  }

  #handlerOf(businessId: number, method: string) {
    const business = this.#businesses.nameOf(businessId);
    return business === undefined ? undefined : this.#businesses.listenersOf(business).handlerOf(method);
  }

  async #renew(credentials: Credentials): Promise<void> {
    try {
      await this.#calls.auth(credentials.token);
    } catch (error) {
      if (error instanceof RequestError && error.status === Status.unauthenticated) this.#credentials.forget();
      throw error;
    }
    this.#hub.emit({ type: 'token-refreshed', expiresAtMs: credentials.expiresAtMs });
  }
}

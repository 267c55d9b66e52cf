/**
 * One business's side of the shared connection. A channel exists as soon as it is asked for, online or not:
 * listeners outlive connections, requests wait for one until their deadline.
 */
import type { Calls, RequestOptions } from './calls.js';
import type { ChannelListeners, PushListener } from './channel-listeners.js';
import type { Membership, Memberships } from './memberships.js';
import { type PayloadInput, Reply } from './message.js';
import type { RequestHandler } from './served-requests.js';

export class BusinessChannel {
  readonly #calls: Calls;
  readonly #memberships: Memberships;
  readonly #listeners: ChannelListeners;

  constructor(
    readonly name: string,
    calls: Calls,
    memberships: Memberships,
    listeners: ChannelListeners,
  ) {
    this.#calls = calls;
    this.#memberships = memberships;
    this.#listeners = listeners;
  }

  /**
   * Asks the business's back-end.
   *
   * @returns its answer, `{ status: 0, metadata, payload, text(), json() }`
   * @throws {RequestError} it answered with another status
   * @throws {DeadlineExceededError} no answer in time, time offline included
   * @throws {ConnectionLostError} the connection ended first; the request may have been handled
   * @throws {RequestCancelledError} `options.signal` was aborted
   * @throws {BusinessNotGrantedError} the token does not grant this business
   * @throws {InvalidArgumentError | PayloadTooLargeError | RequestQueueFullError | ClientClosedError}
   */
  async request(method: string, payload?: PayloadInput, options?: RequestOptions): Promise<Reply> {
    const response = await this.#calls.request(this.name, method, payload, options);
    return new Reply(response.status, response.metadata, response.payload);
  }

  /** Pushes to this device and to the groups it is in. @returns takes the listener off again */
  onPush(listener: PushListener): () => void {
    return this.#listeners.onPush(listener);
  }

  /**
   * Answers requests of the back-end to this device, of one method or of every method without a handler of its own.
   *
   * @returns takes the handler off again
   */
  onRequest(handler: RequestHandler): () => void;
  onRequest(method: string, handler: RequestHandler): () => void;
  onRequest(...args: [RequestHandler] | [string, RequestHandler]): () => void {
    return args.length === 1
      ? this.#listeners.onRequest(undefined, args[0])
      : this.#listeners.onRequest(args[0], args[1]);
  }

  /**
   * Joins a group, and joins it again after each reconnect until it is left.
   *
   * @throws as `request` does; RequestError 5 when the group does not exist, 7 when it is not open to this device
   */
  join(group: string): Promise<Membership> {
    return this.#memberships.join(this.name, group);
  }

  leave(group: string): Promise<void> {
    return this.#memberships.leave(this.name, group);
  }
}

/** Hands each message of a connection to whoever wants its channel: the bus and the membership share one connection. */
import type { RedisConnection } from './redis-connection.js';

export type MessageHandler = (message: Buffer) => void;

export class Channels {
  readonly #connection: RedisConnection;
  readonly #handlers = new Map<string, MessageHandler>();

  /** Takes the connection's messages for itself. */
  constructor(connection: RedisConnection) {
    this.#connection = connection;
    connection.onMessage = (channel, message) => this.#handlers.get(channel)?.(message);
  }

  /**
   * When it resolves, messages arrive, and go on to after the connection was away. Twice is once.
   *
   * @throws {EngineUnavailableError} then they do not arrive
   */
  async subscribe(channel: string, handler: MessageHandler): Promise<void> {
    this.#handlers.set(channel, handler);
    try {
      await this.#connection.subscribe(channel);
    } catch (error) {
      if (this.#handlers.get(channel) === handler) await this.unsubscribe(channel);
      throw error;
    }
  }

  unsubscribe(channel: string): Promise<void> {
    this.#handlers.delete(channel);
    return this.#connection.unsubscribe(channel);
  }
}

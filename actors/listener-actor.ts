/** The actor of one listening port on one access worker. */
import type { Listener, SecureMaterial } from '../transports/index.js';

export default class ListenerActor {
  readonly #listener: Listener;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** @throws the system's error, such as EADDRINUSE */
  start(): Promise<void> {
    return this.#listener.start();
  }

  /** Accepts nothing new; open connections stay. */
  stop(): Promise<void> {
    return this.#listener.stop();
  }

  /** @see Listener.renew */
  renew({ material }: { material: SecureMaterial }): void {
    this.#listener.renew(material);
  }

  destroy(): Promise<void> {
    return this.#listener.stop();
  }
}

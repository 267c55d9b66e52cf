/**
 * A back-end that keeps every request waiting until it is let go, then answers each at once: what queued up before it
 * is delivered as fast as the other side can. On the core of the load, in the benchmark's own process.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class HeldBackEnd {
  readonly port: number;
  /** Requests answered. */
  answered = 0;
  readonly #held: ServerResponse[] = [];
  #isHeld = true;
  #target = Number.POSITIVE_INFINITY;
  #onTarget = (): void => {};

  static async start(): Promise<HeldBackEnd> {
    const server = createServer((request, response) => {
      request.resume();
      backEnd.#take(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const backEnd = new HeldBackEnd((server.address() as AddressInfo).port);
    return backEnd;
  }

  private constructor(port: number) {
    this.port = port;
  }

  /** Lets everything go. @returns when `count` requests have been answered */
  async release(count: number): Promise<void> {
    this.#isHeld = false;
    this.#target = count;
    const reached = new Promise<void>((resolve) => {
      this.#onTarget = resolve;
    });
    for (const response of this.#held.splice(0)) this.#take(response);
    await reached;
  }

  /** Keeps what comes from now on waiting again, and counts anew. */
  hold(): void {
    this.#isHeld = true;
    this.answered = 0;
  }

  #take(response: ServerResponse): void {
    if (this.#isHeld) {
      this.#held.push(response);
      return;
    }
    response.writeHead(204).end();
    this.answered += 1;
    if (this.answered >= this.#target) this.#onTarget();
  }
}

/**
 * What every access worker must know to judge a token, brought to all of them: those that run, and those that are just
 * starting, which are told on top of what they were started with.
 */
import type { ActorRef } from '../actors/index.js';
import type { Logger } from './logger.js';
import { within } from './within.js';

/** A worker that does not answer by then hangs. */
const ANSWER_MS = 2_000;

export interface Told<Reply> {
  readonly replies: Reply[];
  /** Workers that are there and did not answer. */
  readonly silent: number[];
}

export class WorkerCredentials {
  readonly #workers = new Map<number, ActorRef>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** From here on the worker is told what changes; what holds by now goes with its start. */
  attach(worker: number, ref: ActorRef): void {
    this.#workers.set(worker, ref);
  }

  detach(worker: number): void {
    this.#workers.delete(worker);
  }

  /** A worker that ends meanwhile is started again with what holds then, so it does not count. */
  async tell<Reply>(topic: 'useKeys' | 'revoke', message: object): Promise<Told<Reply>> {
    const replies: Reply[] = [];
    const silent: number[] = [];
    const asks = [...this.#workers].map(async ([worker, ref]) => {
      try {
        const answer = (ref.sendAndReceive(topic, message) as Promise<Reply>).then((reply) => ({ reply }));
        const answered = await within(ANSWER_MS, answer);
        if (answered !== undefined) replies.push(answered.reply);
        else {
          this.#log.warn('access worker is slow to take a change of credentials', { worker, topic });
          silent.push(worker);
        }
      } catch (error) {
        if (this.#workers.get(worker) !== ref) return;
        this.#log.warn('access worker did not take a change of credentials', { worker, topic, error: String(error) });
        silent.push(worker);
      }
    });
    await Promise.all(asks);
    return { replies, silent };
  }
}

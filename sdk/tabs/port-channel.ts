/**
 * Questions with answers, and notices without, both ways over one MessagePort. The end of a port is silent by the
 * platform's rules, so whoever knows that the other side is gone calls `close`, and what is still asked rejects.
 */
import type { Clock } from '../clock.js';
import { InvalidArgumentError, RequestCancelledError } from '../errors.js';
import { fromPlainError, type PlainError, toPlainError } from './error-codec.js';

/** The part of a MessagePort that is used. */
export interface PortLike {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
  close(): void;
}

/** `beat` says only that its sender lives. */
type Wire =
  | { readonly kind: 'notice'; readonly content: unknown }
  | { readonly kind: 'question'; readonly id: number; readonly content: unknown }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'answer'; readonly id: number; readonly content: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: PlainError }
  | { readonly kind: 'beat' };

export interface PortHandlers<Question, Notice> {
  /** What it returns or throws is the answer. @param signal aborted when nobody waits for it any more */
  onQuestion(question: Question, signal: AbortSignal): Promise<unknown>;
  onNotice(notice: Notice): void;
}

/** What the other side is asked and told; the parameters of PortHandlers are what it asks and tells. */
export interface PortOutbox {
  readonly question: unknown;
  readonly notice: unknown;
}

interface Open {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Browsers fire the timers of a hidden page once a minute: the limit leaves room for two of those. */
const BEAT_INTERVAL_MS = 15_000;
const SILENCE_LIMIT_MS = 150_000;

export class PortChannel<Out extends PortOutbox, Question, Notice> {
  readonly #port: PortLike;
  readonly #handlers: PortHandlers<Question, Notice>;
  readonly #asked = new Map<number, Open>();
  readonly #beingAnswered = new Map<number, AbortController>();
  #lastId = 0;
  #closedWith: Error | undefined;
  #heard = false;
  #cancelBeat = (): void => {};

  constructor(port: PortLike, handlers: PortHandlers<Question, Notice>) {
    this.#port = port;
    this.#handlers = handlers;
    port.onmessage = ({ data }) => this.#received(data as Wire);
  }

  /**
   * Asks the other side.
   *
   * @returns its answer, unchecked
   * @throws what its handler threw; what `close` was given; RequestCancelledError when `signal` was aborted;
   *   InvalidArgumentError when the question holds something that no port can carry
   */
  ask<T>(question: Out['question'], signal?: AbortSignal): Promise<T> {
    if (this.#closedWith !== undefined) return Promise.reject(this.#closedWith);
    if (signal?.aborted) return Promise.reject(new RequestCancelledError(signal.reason));
    return new Promise<T>((resolve, reject) => {
      const id = ++this.#lastId;
      const onAbort = (): void => {
        this.#settle(id)?.reject(new RequestCancelledError(signal?.reason));
        this.#post({ kind: 'abort', id });
      };
      const release = (): void => signal?.removeEventListener('abort', onAbort);
      this.#asked.set(id, {
        resolve: (value) => [release(), resolve(value as T)],
        reject: (error) => [release(), reject(error)],
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        this.#post({ kind: 'question', id, content: question });
      } catch (error) {
        this.#settle(id)?.reject(new InvalidArgumentError('arguments', (error as Error).message));
      }
    });
  }

  tell(notice: Out['notice']): void {
    if (this.#closedWith === undefined) this.#post({ kind: 'notice', content: notice });
  }

  /** From now on each side shows that it lives. @param onSilent called once, when the other side no longer does */
  startBeat(clock: Clock, onSilent: () => void): void {
    let silentMs = 0;
    const beat = (): void => {
      silentMs = this.#heard ? 0 : silentMs + BEAT_INTERVAL_MS;
      this.#heard = false;
      if (silentMs > SILENCE_LIMIT_MS) return onSilent();
      this.#post({ kind: 'beat' });
      this.#cancelBeat = clock.setTimer(beat, BEAT_INTERVAL_MS);
    };
    beat();
  }

  /** Nothing is sent or heard any more; open questions of this side reject with `error`, those to it are aborted. */
  close(error: Error): void {
    if (this.#closedWith !== undefined) return;
    this.#closedWith = error;
    this.#cancelBeat();
    this.#port.onmessage = null;
    this.#port.close();
    for (const id of [...this.#asked.keys()]) this.#settle(id)?.reject(error);
    for (const abort of this.#beingAnswered.values()) abort.abort();
  }

  #received(wire: Wire): void {
    this.#heard = true;
    switch (wire.kind) {
      case 'notice':
        return this.#handlers.onNotice(wire.content as Notice);
      case 'question':
        return void this.#answer(wire.id, wire.content as Question);
      case 'abort':
        return this.#beingAnswered.get(wire.id)?.abort();
      case 'answer':
        return this.#settle(wire.id)?.resolve(wire.content);
      case 'failure':
        return this.#settle(wire.id)?.reject(fromPlainError(wire.error));
    }
  }

  async #answer(id: number, question: Question): Promise<void> {
    const abort = new AbortController();
    this.#beingAnswered.set(id, abort);
    const failed = (error: unknown): void => this.#post({ kind: 'failure', id, error: toPlainError(error) });
    try {
      const content = await this.#handlers.onQuestion(question, abort.signal);
      if (this.#closedWith === undefined) this.#post({ kind: 'answer', id, content });
    } catch (error) {
      if (this.#closedWith === undefined) failed(error);
    } finally {
      this.#beingAnswered.delete(id);
    }
  }

  #settle(id: number): Open | undefined {
    const open = this.#asked.get(id);
    this.#asked.delete(id);
    return open;
  }

  #post(wire: Wire): void {
    const payload = 'content' in wire ? (wire.content as { payload?: unknown } | undefined)?.payload : undefined;
    if (!(payload instanceof Uint8Array)) return this.#port.postMessage(wire, []);
    // Cloning a view would copy all of the buffer behind it, which can be a whole chunk from the network.
    const copy = new Uint8Array(payload);
    const content = { ...(wire as { content: object }).content, payload: copy };
    this.#port.postMessage({ ...wire, content }, [copy.buffer]);
  }
}

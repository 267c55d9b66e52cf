/** One business as a tab sees it: a BusinessChannel whose calls go through the port. */
import { Status } from '../../protocol/index.js';
import type { GroupPosition, RequestOptions } from '../calls.js';
import type { PushListener } from '../channel-listeners.js';
import type { Membership } from '../memberships.js';
import { type PayloadInput, type Push, Reply, toBytes } from '../message.js';
import { type RequestHandler, ServedRequest } from '../served-requests.js';
import type { AnswerContent, ServeQuestion, TabNotice, TabQuestion } from './port-messages.js';
import type { SharedChannel } from './shared-client.js';
import type { TabMemberships } from './tab-memberships.js';

/** What a channel needs of its client. */
export interface TabChannelPorts {
  /** Asks the worker. */
  ask<T>(question: TabQuestion, signal?: AbortSignal): Promise<T>;
  /** Tells the worker, if there is one just now; a later one is told all anew. */
  tell(notice: TabNotice): void;
  /** Runs an application's callback. */
  guard(callback: () => void): void;
  readonly memberships: TabMemberships;
}

export class TabChannel implements SharedChannel {
  readonly #ports: TabChannelPorts;
  readonly #listeners = new Set<{ readonly listener: PushListener }>();
  /** By method; `undefined` takes the rest. */
  readonly #handlers = new Map<string | undefined, RequestHandler>();

  constructor(
    readonly name: string,
    ports: TabChannelPorts,
  ) {
    this.#ports = ports;
  }

  async request(method: string, payload?: PayloadInput, options: RequestOptions = {}): Promise<Reply> {
    const { metadata, deadlineMs, signal } = options;
    const answer = await this.#ports.ask<AnswerContent>(
      { kind: 'request', business: this.name, method, payload: toBytes(payload), metadata, deadlineMs },
      signal,
    );
    return new Reply(answer.status, answer.metadata, answer.payload);
  }

  onPush(listener: PushListener): () => void {
    const entry = { listener };
    this.#listeners.add(entry);
    if (this.#listeners.size === 1) this.#ports.tell({ kind: 'listen', business: this.name, on: true });
    return () => {
      if (!this.#listeners.delete(entry) || this.#listeners.size > 0) return;
      this.#ports.tell({ kind: 'listen', business: this.name, on: false });
    };
  }

  onRequest(...args: [RequestHandler] | [string, RequestHandler]): () => void {
    const [method, handler] = args.length === 1 ? [undefined, args[0]] : args;
    this.#handlers.set(method, handler);
    // Told each time: of several tabs the one that offered last answers.
    this.#tellServe(method, true);
    return () => {
      if (this.#handlers.get(method) !== handler) return;
      this.#handlers.delete(method);
      this.#tellServe(method, false);
    };
  }

  async join(group: string): Promise<Membership> {
    const { ports, name } = { ports: this.#ports, name: this.name };
    const position = await ports.ask<GroupPosition>({ kind: 'join', business: name, group });
    return ports.memberships.joined(name, group, position, () => this.leave(group));
  }

  async leave(group: string): Promise<void> {
    this.#ports.memberships.ended(this.name, group);
    await this.#ports.ask({ kind: 'leave', business: this.name, group });
  }

  /** What a worker that knows nothing of this tab has to be told. */
  announce(): void {
    if (this.#listeners.size > 0) this.#ports.tell({ kind: 'listen', business: this.name, on: true });
    for (const method of this.#handlers.keys()) this.#tellServe(method, true);
  }

  deliver(push: Push): void {
    for (const { listener } of [...this.#listeners]) this.#ports.guard(() => listener(push));
  }

  /** @throws what the handler throws */
  async serve(question: ServeQuestion, signal: AbortSignal): Promise<AnswerContent> {
    const { method, metadata, payload, deadlineMs } = question;
    // The handler may have been taken off while the question was on its way.
    const handler = this.#handlers.get(question.served.method);
    if (handler === undefined) return { status: Status.unimplemented, metadata: {}, payload: toBytes(undefined) };
    const reply = (await handler(new ServedRequest(method, metadata, payload, deadlineMs, signal))) ?? {};
    const full = typeof reply === 'string' || reply instanceof Uint8Array ? { payload: reply } : reply;
    return { status: full.status ?? Status.ok, metadata: full.metadata ?? {}, payload: toBytes(full.payload) };
  }

  #tellServe(method: string | undefined, on: boolean): void {
    this.#ports.tell({ kind: 'serve', served: { business: this.name, method }, on });
  }
}

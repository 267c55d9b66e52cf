/**
 * The shared worker's core: tabs come by a port and go by a word or without one; while there is a tab there is a
 * client, made with the first tab's settings. What only a page can do, such as reading `localStorage` or calling the
 * application's own functions, a tab is asked for.
 */
import type { Bootstrap } from '../bootstrap.js';
import type { TrunklineClient } from '../client.js';
import { type Clock, systemClock } from '../clock.js';
import { BootstrapError, ConnectionLostError } from '../errors.js';
import type { TrunklineClientOptions } from '../options.js';
import type { DeviceIdentity } from '../storage.js';
import { toPlainError } from './error-codec.js';
import { awaitLock, type LockManagerLike } from './life-signs.js';
import { PortChannel, type PortLike } from './port-channel.js';
import type {
  AnswerContent,
  HelloNotice,
  RequestQuestion,
  TabNotice,
  TabQuestion,
  WorkerQuestion,
} from './port-messages.js';
import { SharedLink, type TabPort } from './shared-link.js';
import type { SharedSettings } from './shared-settings.js';

/** A tab that has not answered by then is frozen, or its application is stuck: the next one is asked. */
const TAB_ANSWER_LIMIT_MS = 15_000;

/** What the hub adds to a tab's settings to make client options of them. */
export type HubCallbacks = Pick<TrunklineClientOptions, 'credentials' | 'assertion' | 'storage' | 'networkHints'>;

export interface TabHubOptions {
  readonly createClient: (settings: SharedSettings, callbacks: HubCallbacks) => TrunklineClient;
  /** Undefined where the platform has none: tabs then show by beats that they live. */
  readonly locks: LockManagerLike | undefined;
  /** Name of the lock that the worker holds. */
  readonly lock: string | undefined;
  readonly clock?: Clock | undefined;
}

interface AttachedTab {
  readonly settings: SharedSettings;
  readonly stopWatching: () => void;
}

export class TabHub {
  readonly #options: TabHubOptions;
  readonly #clock: Clock;
  /** In the order in which they came. */
  readonly #tabs = new Map<TabPort, AttachedTab>();
  readonly #hints = new Set<() => void>();
  #link: SharedLink | undefined;

  constructor(options: TabHubOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get tabCount(): number {
    return this.#tabs.size;
  }

  /** A tab opened its end of the port; it says hello first. */
  attach(port: PortLike): void {
    const tab: TabPort = new PortChannel(port, {
      onNotice: (notice) => this.#told(tab, notice),
      onQuestion: (question, signal) => this.#asked(tab, question, signal),
    });
  }

  /** The network may be back. */
  hint(): void {
    for (const onHint of [...this.#hints]) onHint();
  }

  #told(tab: TabPort, notice: TabNotice): void {
    if (notice.kind === 'hello') return this.#greet(tab, notice);
    const link = this.#link;
    if (link === undefined || !this.#tabs.has(tab)) return;
    switch (notice.kind) {
      case 'bye':
        return this.#drop(tab);
      case 'reconnect':
        return link.client.reconnect();
      case 'hint':
        return this.hint();
      case 'listen':
        return link.listen(tab, notice.business, notice.on);
      case 'serve':
        return link.serve(tab, notice.served, notice.on);
    }
  }

  #greet(tab: TabPort, { lock, settings }: HelloNotice): void {
    const { locks } = this.#options;
    try {
      this.#link ??= this.#open(settings);
    } catch (error) {
      return tab.tell({ kind: 'refused', error: toPlainError(error) });
    }
    const gone = (): void => this.#drop(tab);
    const byLock = lock !== undefined && locks !== undefined;
    const stopWatching = byLock ? awaitLock(locks, lock, gone) : () => {};
    this.#tabs.set(tab, { settings, stopWatching });
    tab.tell({ kind: 'welcome', lock: byLock ? this.#options.lock : undefined });
    if (!byLock) tab.startBeat(this.#clock, gone);
  }

  async #asked(tab: TabPort, question: TabQuestion, signal: AbortSignal): Promise<unknown> {
    const link = this.#linkOf(tab);
    switch (question.kind) {
      case 'connect':
        return link.connect(tab);
      case 'request':
        return request(link.client, question, signal);
      case 'join':
        return link.groups.join(tab, question.business, question.group);
      case 'leave':
        return link.groups.leave(tab, question.business, question.group);
    }
  }

  /** @throws {ConnectionLostError} the tab did not say hello */
  #linkOf(tab: TabPort): SharedLink {
    if (this.#link === undefined || !this.#tabs.has(tab)) throw new ConnectionLostError();
    return this.#link;
  }

  #drop(tab: TabPort): void {
    this.#tabs.get(tab)?.stopWatching();
    if (!this.#tabs.delete(tab)) return;
    tab.close(new ConnectionLostError());
    this.#link?.drop(tab);
    if (this.#tabs.size > 0) return;
    this.#link?.client.close();
    this.#link = undefined;
  }

  #open(settings: SharedSettings): SharedLink {
    const callbacks: HubCallbacks = {
      credentials: settings.asks.credentials ? () => this.#ask({ kind: 'credentials' }) : undefined,
      assertion: settings.asks.assertion ? () => this.#ask({ kind: 'assertion' }) : undefined,
      storage: {
        get: () => this.#ask<DeviceIdentity | undefined>({ kind: 'identity' }),
        set: (identity) => this.#ask<void>({ kind: 'keep-identity', identity }),
      },
      networkHints: (onHint) => {
        this.#hints.add(onHint);
        return () => this.#hints.delete(onHint);
      },
    };
    return new SharedLink(this.#options.createClient(settings, callbacks), () => this.#tabs.keys());
  }

  /**
   * Asks one tab after the other, until one answers: the question of one that has gone, or is silent for too long,
   * passes to the next.
   *
   * @throws what the tab's function threw; BootstrapError, retryable, when no tab could be asked
   */
  async #ask<T = Bootstrap & string>(question: WorkerQuestion): Promise<T> {
    const asked = new Set<TabPort>();
    for (;;) {
      const tab = [...this.#tabs.keys()].find((next) => !asked.has(next) && this.#canAnswer(next, question));
      if (tab === undefined) throw new BootstrapError(`no tab answered: ${question.kind}`, { retryable: true });
      asked.add(tab);
      const tooLate = new AbortController();
      const cancelTimer = this.#clock.setTimer(() => tooLate.abort(), TAB_ANSWER_LIMIT_MS);
      try {
        return await tab.ask<T>(question, tooLate.signal);
      } catch (error) {
        const isSilent = tooLate.signal.aborted || !this.#tabs.has(tab);
        if (!isSilent) throw error;
      } finally {
        cancelTimer();
      }
    }
  }

  #canAnswer(tab: TabPort, { kind }: WorkerQuestion): boolean {
    const asks = this.#tabs.get(tab)?.settings.asks;
    if (kind === 'credentials') return asks?.credentials ?? false;
    return kind === 'assertion' ? (asks?.assertion ?? false) : true;
  }
}

async function request(
  client: TrunklineClient,
  { business, method, payload, metadata, deadlineMs }: RequestQuestion,
  signal: AbortSignal,
): Promise<AnswerContent> {
  const reply = await client.business(business).request(method, payload, { metadata, deadlineMs, signal });
  return { status: reply.status, metadata: reply.metadata, payload: reply.payload };
}

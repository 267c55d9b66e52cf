/**
 * Keeps what this node knows of credentials and what the engine holds the same: reads what is new when it is announced
 * and once a second besides, since an announcement may be lost; compares everything once a minute and after every
 * failure, and then puts what the engine lacks. So an emptied Redis is filled again, and what was asked for while it was
 * away arrives when it is back.
 *
 * @see docs/decisions/0090-nodes-share-what-was-revoked.md
 */
import { EngineUnavailableError } from '../actors/index.js';
import { CONFIRMED_MS, type CredentialStore, type SharedRecord, type StoreMark } from './engines/contract/index.js';
import type { Logger } from './logger.js';

const LOOK_EVERY_MS = 1_000;
const COMPARE_EVERY_MS = 60_000;
const CONFIRM_EVERY_MS = CONFIRMED_MS / 4;
/** Between two looks whether the others have taken something over. */
const POLL_MS = 20;

export interface CredentialsSyncOptions {
  readonly store: CredentialStore;
  readonly incarnation: string;
  /** Everything this node has to say. */
  readonly own: () => readonly SharedRecord[];
  /** Acts on what others have said; what it rejects is read again. */
  readonly apply: (records: readonly SharedRecord[]) => Promise<void>;
  /** After each reading: what others have said may be over by now. What it rejects is asked again. */
  readonly onLook: () => Promise<void>;
  readonly log: Logger;
  /** Milliseconds of a clock that does not jump. */
  readonly now?: () => number;
}

export class CredentialsSync {
  readonly #options: CredentialsSyncOptions;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #mark: StoreMark | undefined;
  #comparedMs = Number.NEGATIVE_INFINITY;
  #confirmed: { readonly mark: StoreMark; readonly atMs: number } | undefined;
  #underWay: Promise<void> | undefined;
  #isWantedAgain = false;
  #isAway = false;
  #isStopped = false;

  constructor(options: CredentialsSyncOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Resolves when this node knows what the others know. @throws {EngineUnavailableError} */
  async start(): Promise<void> {
    await this.#exchange();
    this.#options.store.onChange(() => this.look());
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    // For what was announced meanwhile.
    this.look();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#underWay;
  }

  /** Reads what is new, after what is under way. Never throws. */
  look(): void {
    if (this.#isStopped) return;
    if (this.#underWay !== undefined) {
      this.#isWantedAgain = true;
      return;
    }
    this.#underWay = this.#tryExchange().finally(() => {
      this.#underWay = undefined;
      if (!this.#isWantedAgain) return;
      this.#isWantedAgain = false;
      this.look();
    });
  }

  /** @throws {EngineUnavailableError} it is put when the engine is back */
  async put(records: readonly SharedRecord[]): Promise<StoreMark> {
    try {
      return await this.#options.store.put(records);
    } catch (error) {
      this.#compareSoon();
      throw error;
    }
  }

  /**
   * Waits until other nodes act on everything up to `mark`.
   *
   * @returns those that have not said so within `withinMs`
   * @throws {EngineUnavailableError}
   */
  async reached(mark: StoreMark, others: () => readonly string[], withinMs: number): Promise<readonly string[]> {
    const endsMs = this.#now() + withinMs;
    for (;;) {
      const incarnations = others();
      const marks = await this.#options.store.confirmed(incarnations);
      const left = incarnations.filter((_, i) => !isReached(marks[i], mark));
      if (left.length === 0 || this.#now() > endsMs) return left;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #tryExchange(): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#exchange();
      if (this.#isAway) log.info('credentials are shared again');
      this.#isAway = false;
    } catch (error) {
      this.#compareSoon();
      if (this.#isAway || this.#isStopped) return;
      this.#isAway = true;
      const entry = { error: error instanceof Error ? error.message : String(error) };
      if (error instanceof EngineUnavailableError) log.warn('credentials are not shared: the engine is away', entry);
      else log.error('credentials of other nodes could not be taken over', entry);
    }
  }

  async #exchange(): Promise<void> {
    const { own, store, onLook } = this.#options;
    const nowMs = this.#now();
    const compares = nowMs - this.#comparedMs >= COMPARE_EVERY_MS;
    const { orders, isFirst } = await this.#read(compares ? undefined : this.#mark);
    await onLook();
    if (isFirst) {
      const lacking = own().filter(({ key, order }) => (orders.get(key) ?? -1) < order);
      if (lacking.length > 0) await store.put(lacking);
      this.#comparedMs = nowMs;
    }
    await this.#confirm(nowMs);
  }

  /** @returns the order of each record that was read, and whether that was everything */
  async #read(since: StoreMark | undefined): Promise<{ orders: Map<string, number>; isFirst: boolean }> {
    const { store, apply } = this.#options;
    const orders = new Map<string, number>();
    let isFirst = false;
    let mark = since;
    for (let hasMore = true; hasMore; ) {
      const page = await store.read(mark);
      if (page.isFirst) orders.clear();
      isFirst ||= page.isFirst;
      for (const { key, order } of page.records) orders.set(key, order);
      await apply(page.records);
      mark = page.mark;
      hasMore = page.hasMore;
    }
    this.#mark = mark;
    return { orders, isFirst };
  }

  async #confirm(nowMs: number): Promise<void> {
    const mark = this.#mark as StoreMark;
    const last = this.#confirmed;
    const isSame = last?.mark.epoch === mark.epoch && last.mark.version === mark.version;
    if (isSame && nowMs - last.atMs < CONFIRM_EVERY_MS) return;
    await this.#options.store.confirm(this.#options.incarnation, mark);
    this.#confirmed = { mark, atMs: nowMs };
  }

  #compareSoon(): void {
    this.#comparedMs = Number.NEGATIVE_INFINITY;
    this.#confirmed = undefined;
  }
}

function isReached(confirmed: StoreMark | undefined, { epoch, version }: StoreMark): boolean {
  return confirmed !== undefined && confirmed.epoch === epoch && confirmed.version >= version;
}

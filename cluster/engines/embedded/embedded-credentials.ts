/** Records of a service of one node, in memory: what must outlive it is in the node's own files. */
import {
  type CredentialStore,
  PAGE_RECORDS,
  type RecordsPage,
  type SharedRecord,
  type StoreMark,
} from '../contract/index.js';

const EPOCH = 'memory';

interface Stored {
  readonly record: SharedRecord;
  readonly version: number;
}

export class EmbeddedCredentials implements CredentialStore {
  /** In the order of their versions. */
  readonly #stored = new Map<string, Stored>();
  readonly #confirmed = new Map<string, StoreMark>();
  readonly #listeners: (() => void)[] = [];
  #version = 0;

  put(records: readonly SharedRecord[]): Promise<StoreMark> {
    const nowMs = Date.now();
    const before = this.#version;
    for (const [key, { record }] of this.#stored) if (isOver(record, nowMs)) this.#stored.delete(key);
    for (const record of records) if (!isOver(record, nowMs)) this.#store(record);
    if (this.#version > before) this.#changed();
    return Promise.resolve({ epoch: EPOCH, version: this.#version });
  }

  read(since?: StoreMark): Promise<RecordsPage> {
    const from = since?.epoch === EPOCH ? since.version : 0;
    const newer = [...this.#stored.values()].filter(({ version }) => version > from);
    const page = newer.slice(0, PAGE_RECORDS);
    const hasMore = newer.length > page.length;
    const version = hasMore ? (page.at(-1) as Stored).version : this.#version;
    const records = page.map(({ record }) => record);
    return Promise.resolve({ records, mark: { epoch: EPOCH, version }, isFirst: from === 0, hasMore });
  }

  confirm(incarnation: string, mark: StoreMark): Promise<void> {
    this.#confirmed.set(incarnation, mark);
    return Promise.resolve();
  }

  confirmed(incarnations: readonly string[]): Promise<readonly (StoreMark | undefined)[]> {
    return Promise.resolve(incarnations.map((incarnation) => this.#confirmed.get(incarnation)));
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #store(record: SharedRecord): void {
    const known = this.#stored.get(record.key);
    if (known !== undefined && known.record.order >= record.order) return;
    this.#version += 1;
    this.#stored.delete(record.key);
    this.#stored.set(record.key, { record, version: this.#version });
  }

  /** Later, as an announcement that comes from elsewhere. */
  #changed(): void {
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener();
    });
  }
}

function isOver({ untilMs }: SharedRecord, nowMs: number): boolean {
  return untilMs > 0 && untilMs <= nowMs;
}

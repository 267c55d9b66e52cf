/**
 * Shared credentials in Redis: a hash of records in one slot, numbered as they come, so that a node asks for what is
 * new to it and misses nothing, whatever became of an announcement.
 */
import {
  CONFIRMED_MS,
  type CredentialStore,
  PAGE_RECORDS,
  type RecordsPage,
  type SharedRecord,
  type StoreMark,
} from '../contract/index.js';
import type { Channels } from './channels.js';
import type { Keys } from './keys.js';
import { confirmedCredentialsScript, putCredentialsScript, readCredentialsScript } from './lua/credentials.js';
import type { RedisConnection } from './redis-connection.js';

export class RedisCredentials implements CredentialStore {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #listeners: (() => void)[] = [];

  private constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Resolves when it hears of changes. */
  static async open(connection: RedisConnection, channels: Channels, keys: Keys): Promise<RedisCredentials> {
    const credentials = new RedisCredentials(connection, keys);
    await channels.subscribe(keys.credentialChanges(), () => credentials.#changed());
    connection.onReady(() => credentials.#changed());
    return credentials;
  }

  async put(records: readonly SharedRecord[]): Promise<StoreMark> {
    const keys = this.#keys;
    const names = [
      keys.credentials(),
      keys.credentialVersions(),
      keys.credentialEnds(),
      keys.credentialState(),
      keys.credentialChanges(),
    ];
    let mark: StoreMark | undefined;
    for (let at = 0; at < records.length || mark === undefined; at += PAGE_RECORDS) {
      const page = records.slice(at, at + PAGE_RECORDS);
      const args = page.flatMap(({ key, order, untilMs, value }) => [key, order, untilMs, value]);
      const [epoch, version] = (await this.#connection.run(putCredentialsScript, names, args)) as [Buffer, Buffer];
      mark = { epoch: epoch.toString(), version: Number(version) };
    }
    return mark;
  }

  async read(since?: StoreMark): Promise<RecordsPage> {
    const keys = this.#keys;
    const names = [keys.credentials(), keys.credentialVersions(), keys.credentialState()];
    const args = [since?.epoch ?? '', since?.version ?? 0, PAGE_RECORDS];
    const reply = (await this.#connection.run(readCredentialsScript, names, args)) as unknown[];
    const [epoch, version, isFirst, hasMore, ...pairs] = reply;
    const records: SharedRecord[] = [];
    for (let i = 0; i + 1 < pairs.length; i += 2) records.push(readRecord(String(pairs[i]), String(pairs[i + 1])));
    const mark = { epoch: String(epoch), version: Number(version) };
    return { records, mark, isFirst: isFirst === 1, hasMore: hasMore === 1 };
  }

  async confirm(incarnation: string, { epoch, version }: StoreMark): Promise<void> {
    const key = this.#keys.credentialsConfirmed(incarnation);
    await this.#connection.call('set', key, `${version} ${epoch}`, 'PX', CONFIRMED_MS);
  }

  async confirmed(incarnations: readonly string[]): Promise<readonly (StoreMark | undefined)[]> {
    if (incarnations.length === 0) return [];
    const names = incarnations.map((incarnation) => this.#keys.credentialsConfirmed(incarnation));
    const reply = (await this.#connection.run(confirmedCredentialsScript, names, [])) as (Buffer | null)[];
    return reply.map((mark) => {
      if (mark === null) return undefined;
      const [version, epoch = ''] = mark.toString().split(' ');
      return { epoch, version: Number(version) };
    });
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** @param packed `order untilMs value` */
function readRecord(key: string, packed: string): SharedRecord {
  const orderEnd = packed.indexOf(' ');
  const untilEnd = packed.indexOf(' ', orderEnd + 1);
  return {
    key,
    order: Number(packed.slice(0, orderEnd)),
    untilMs: Number(packed.slice(orderEnd + 1, untilEnd)),
    value: packed.slice(untilEnd + 1),
  };
}

/**
 * Which devices a user is online with. It lies in other slots than the routes, so it is written after them, and an
 * entry is only a hint: whoever reads it looks the route up, and has what does not fit taken away.
 */
import type { FencedDevice } from '../../../actors/index.js';
import type { Keys } from './keys.js';
import { changeUsersScript, usersScript } from './lua/users.js';
import type { RedisConnection } from './redis-connection.js';
import { decodeFence, encodeFence, FENCE_BYTES } from './route-codec.js';
import { type ItemArguments, runBatch } from './script-batch.js';

export interface UserDevice extends FencedDevice {
  readonly uid: string;
}

export class RedisUsers {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Takes away first: a login that replaces another of the same user leaves one entry. */
  async change(added: readonly UserDevice[], removed: readonly UserDevice[]): Promise<void> {
    const items = [
      ...removed.map((device) => this.#change(device, '-')),
      ...added.map((device) => this.#change(device, '+')),
    ];
    if (items.length > 0) await runBatch(this.#connection, changeUsersScript, items, 0);
  }

  /** In the order of `uids`. */
  async devices(app: string, uids: readonly string[]): Promise<UserDevice[][]> {
    const items = uids.map((uid): ItemArguments => [this.#keys.users(app, uid), uid]);
    const lists = (await runBatch(this.#connection, usersScript, items, 1)) as (Buffer | null)[];
    return uids.map((uid, i) => readList(app, uid, lists[i]));
  }

  #change({ app, uid, deviceId, fence }: UserDevice, sign: '+' | '-'): ItemArguments {
    return [this.#keys.users(app, uid), uid, deviceId, encodeFence(fence), sign];
  }
}

function readList(app: string, uid: string, list: Buffer | null | undefined): UserDevice[] {
  const devices: UserDevice[] = [];
  for (let at = 0; list && at < list.length; ) {
    const end = at + 1 + (list[at] as number);
    devices.push({ app, uid, deviceId: list.toString('utf8', at + 1, end), fence: decodeFence(list, end) });
    at = end + FENCE_BYTES;
  }
  return devices;
}

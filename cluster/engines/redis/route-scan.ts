/**
 * All routes, bucket by bucket: a page of them in an order that never changes, or all that a node has left, at a pace
 * that lets the servers go on answering others. A script call takes in as many buckets as make up a fair share of
 * work, so that an empty store is gone through in a few calls and a full one in small steps.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { DeviceKey, DeviceRoute, PageRequest, RoutePage } from '../../../actors/index.js';
import { SlotMovedError } from './errors.js';
import { BUCKETS, bucketOf, type Keys, routeSlotOf, tagOf } from './keys.js';
import { scanScript } from './lua/routes.js';
import type { RedisConnection } from './redis-connection.js';
import { decodeRoute, encodeIncarnation } from './route-codec.js';

/** Hashes that a script call looks into at most, empty or not: some 1 ms. */
const HASHES_A_CALL = 4_096;
/** Script calls, one after the other, that a page takes at most. */
const CALLS_A_PAGE = 16;
/** Routes after which a call of a sweep ends: some 1 ms. */
const ROUTES_A_STEP = 500;
const STEP_PAUSE_MS = 2;
/** Read alone when their slots are on the move. */
const BUCKETS_ONE_BY_ONE = 32;

/** Of one app in one bucket: device ids and packed routes in turn. */
type Fields = readonly Buffer[];

export class RouteScan {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** @see RouteStore.list */
  async page({ app, after, limit }: PageRequest & { readonly app?: string | undefined }): Promise<RoutePage> {
    const apps = app === undefined ? await this.#apps() : [app];
    const from = readCursor(after);
    const routes: DeviceRoute[] = [];
    let bucket = apps.length === 0 ? BUCKETS : from.bucket;
    for (let calls = 0; calls < CALLS_A_PAGE && bucket < BUCKETS; calls++) {
      const window = range(bucket, bucket + windowFor(apps));
      // One more than was asked for tells whether this is the last page.
      const read = await this.#read(window, apps, '', limit + 1 - routes.length);
      for (const number of window) {
        const found = read.get(number);
        if (found === undefined) break;
        bucket = number + 1;
        for (const route of found) if (number !== from.bucket || isBehind(route, from)) routes.push(route);
        if (routes.length > limit) return { routes: routes.slice(0, limit), next: cursorAt(routes[limit - 1]) };
      }
    }
    return bucket < BUCKETS ? { routes, next: `${bucket}//` } : { routes };
  }

  /** Hands over all routes of a node, part by part; the next is read when the last was dealt with. */
  async each(incarnation: string, deal: (routes: readonly DeviceRoute[]) => Promise<void>): Promise<void> {
    const apps = await this.#apps();
    let left = apps.length === 0 ? [] : range(0, BUCKETS);
    while (left.length > 0) {
      const window = left.slice(0, windowFor(apps));
      const read = await this.#read(window, apps, encodeIncarnation(incarnation), ROUTES_A_STEP);
      const routes = [...read.values()].flat();
      if (routes.length > 0) await deal(routes);
      left = [...window.filter((bucket) => !read.has(bucket)), ...left.slice(window.length)];
      await sleep(STEP_PAUSE_MS);
    }
  }

  async #apps(): Promise<string[]> {
    const names = (await this.#connection.call('smembers', this.#keys.apps())) as Buffer[];
    return names.map(String).sort();
  }

  /** @returns routes by bucket, of those buckets that the servers got to: the first ones of each server */
  async #read(
    buckets: readonly number[],
    apps: readonly string[],
    incarnation: Buffer | '',
    enough: number,
  ): Promise<Map<number, DeviceRoute[]>> {
    const read = new Map<number, DeviceRoute[]>();
    const groups = this.#connection.groupByNode(buckets, routeSlotOf);
    await Promise.all(
      groups.map(async ({ client, items }) => {
        const replies = await this.#scanOn(client, items, [incarnation, enough], apps);
        replies.forEach((fieldsByApp, i) => {
          const routes = fieldsByApp.flatMap((fields, j) => readFields(apps[j] as string, fields));
          read.set(items[i] as number, routes);
        });
      }),
    );
    return read;
  }

  async #scanOn(
    client: Redis,
    buckets: readonly number[],
    [incarnation, enough]: readonly [Buffer | '', number],
    apps: readonly string[],
  ): Promise<Fields[][]> {
    const scan = (part: readonly number[]): Parameters<RedisConnection['run']> => [
      scanScript,
      [this.#keys.routes('', part[0] as number)],
      [this.#keys.routeStem, enough, incarnation, part.map(tagOf).join(''), ...apps],
    ];
    try {
      return (await this.#connection.runOn(client, ...scan(buckets))) as Fields[][];
    } catch (error) {
      if (!(error instanceof SlotMovedError)) throw error;
      // Each bucket may be somewhere else now; a few lead on, the others come with the next call.
      const few = buckets.slice(0, BUCKETS_ONE_BY_ONE);
      const replies = await Promise.all(few.map((bucket) => this.#connection.run(...scan([bucket]))));
      return (replies as Fields[][][]).flat(1);
    }
  }
}

interface Cursor extends DeviceKey {
  readonly bucket: number;
}

/** A device's id may contain anything, an app's name no slash. */
function readCursor(after: string | undefined): Cursor {
  if (after === undefined) return { bucket: 0, app: '', deviceId: '' };
  const [, bucket, app, deviceId] = /^(\d{1,5})\/([^/]*)\/(.*)$/s.exec(after) ?? [];
  return { bucket: bucket === undefined ? BUCKETS : Number(bucket), app: app ?? '', deviceId: deviceId ?? '' };
}

function cursorAt({ app, deviceId }: DeviceKey = { app: '', deviceId: '' }): string {
  return `${bucketOf(deviceId)}/${app}/${deviceId}`;
}

function isBehind(route: DeviceKey, from: Cursor): boolean {
  return route.app > from.app || (route.app === from.app && route.deviceId > from.deviceId);
}

/** Sorted by device id: Redis keeps no order that would stay. */
function readFields(app: string, fields: Fields): DeviceRoute[] {
  const routes: DeviceRoute[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const deviceId = (fields[i] as Buffer).toString();
    routes.push({ app, deviceId, ...decodeRoute(fields[i + 1] as Buffer) });
  }
  return routes.sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
}

function windowFor(apps: readonly string[]): number {
  return Math.max(1, Math.floor(HASHES_A_CALL / apps.length));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, Math.min(to, BUCKETS) - from) }, (_, i) => from + i);
}

/**
 * Look-ups by the hundred: a script call for each server and app, its devices packed into one text and the routes that
 * are found into one answer.
 */
import type { Redis } from 'ioredis';
import type { DeviceKey, Route } from '../../../actors/index.js';
import { SlotMovedError } from './errors.js';
import { bucketOf, type Keys, routeSlotOf, tagOf } from './keys.js';
import { lookupScript } from './lua/routes.js';
import type { RedisConnection } from './redis-connection.js';
import { decodeRoute } from './route-codec.js';

const MAX_ITEMS = 500;
/** Ids have 64 at most; a length is one character. */
const MAX_ID_BYTES = 127;
const LONG = 255;

interface Wanted {
  readonly index: number;
  readonly bucket: number;
  readonly device: DeviceKey;
}

/** @throws {EngineUnavailableError} as a whole */
export async function lookUpRoutes(
  connection: RedisConnection,
  keys: Keys,
  devices: readonly DeviceKey[],
): Promise<(Route | undefined)[]> {
  const found = new Array<Route | undefined>(devices.length).fill(undefined);
  const wanted = devices.map((device, index): Wanted => ({ index, bucket: bucketOf(device.deviceId), device }));
  const groups = connection.groupByNode(wanted, ({ bucket }) => routeSlotOf(bucket));
  const parts = groups.flatMap(({ client, items }) => partsOf(items).map((part) => ({ client, part })));
  await Promise.all(parts.map(({ client, part }) => lookUpPart(connection, client, keys, part, found)));
  return found;
}

/** Of one app each, and not too many. */
function partsOf(items: readonly Wanted[]): Wanted[][] {
  const parts: Wanted[][] = [];
  const open = new Map<string, Wanted[]>();
  for (const item of items) {
    let part = open.get(item.device.app);
    if (part === undefined || part.length === MAX_ITEMS) {
      part = [];
      open.set(item.device.app, part);
      parts.push(part);
    }
    part.push(item);
  }
  return parts;
}

async function lookUpPart(
  connection: RedisConnection,
  client: Redis,
  keys: Keys,
  part: readonly Wanted[],
  found: (Route | undefined)[],
): Promise<void> {
  const asked = (some: readonly Wanted[]): Parameters<RedisConnection['run']> => {
    const { bucket, device } = some[0] as Wanted;
    return [lookupScript, [keys.routes(device.app, bucket)], [keys.routeStem, `}:${device.app}`, pack(some)]];
  };
  const known = part.filter(({ device }) => Buffer.byteLength(device.deviceId) <= MAX_ID_BYTES);
  if (known.length === 0) return;
  try {
    return unpack((await connection.runOn(client, ...asked(known))) as Buffer, known, found);
  } catch (error) {
    if (!(error instanceof SlotMovedError)) throw error;
  }
  // Some slot has moved: the Cluster client is led to each key's server.
  await Promise.all(
    known.map(async (item) => unpack((await connection.run(...asked([item]))) as Buffer, [item], found)),
  );
}

function pack(items: readonly Wanted[]): string {
  let packed = '';
  for (const { bucket, device } of items) {
    packed += tagOf(bucket) + String.fromCharCode(Buffer.byteLength(device.deviceId)) + device.deviceId;
  }
  return packed;
}

function unpack(answer: Buffer, items: readonly Wanted[], found: (Route | undefined)[]): void {
  let at = 0;
  for (const { index } of items) {
    let length = answer[at++] as number;
    if (length === LONG) {
      length = answer.readUInt16BE(at);
      at += 2;
    }
    if (length > 0) found[index] = decodeRoute(answer, at, at + length);
    at += length;
  }
}

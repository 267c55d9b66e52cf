/**
 * A batch as one script call per Redis server. When a slot turns out to have moved, each item of that call goes out
 * alone, by which the Cluster client is led to where its key is now.
 */
import type { Redis } from 'ioredis';
import { SlotMovedError } from './errors.js';
import type { CommandArgument, RedisConnection } from './redis-connection.js';
import type { Script } from './script.js';
import { slotOf } from './slot.js';

/** A script holds up everybody else on its server: some 2 ms. */
const MAX_ITEMS = 500;

/** What a script takes for one item; the first is its key. */
export type ItemArguments = readonly [key: string, ...rest: CommandArgument[]];

interface Numbered {
  readonly index: number;
  readonly args: ItemArguments;
}

/**
 * @param repliesPerItem how many values the script returns for each
 * @returns the script's values, those of one item after those of the one before it
 * @throws {EngineUnavailableError} as a whole, though parts of it may have been done
 */
export async function runBatch(
  connection: RedisConnection,
  script: Script,
  items: readonly ItemArguments[],
  repliesPerItem: number,
): Promise<unknown[]> {
  const replies = new Array<unknown>(items.length * repliesPerItem);
  const numbered = items.map((args, index) => ({ index, args }));
  const groups = connection.groupByNode(numbered, ({ args }) => slotOf(args[0]));
  const parts = groups.flatMap(({ client, items }) => chunksOf(items).map((chunk) => ({ client, chunk })));
  await Promise.all(
    parts.map(async ({ client, chunk }) => {
      const values = await runChunk(connection, client, script, chunk);
      chunk.forEach(({ index }, i) => {
        for (let j = 0; j < repliesPerItem; j++) replies[index * repliesPerItem + j] = values[i * repliesPerItem + j];
      });
    }),
  );
  return replies;
}

async function runChunk(
  connection: RedisConnection,
  client: Redis,
  script: Script,
  chunk: readonly Numbered[],
): Promise<unknown[]> {
  const first = chunk[0] as Numbered;
  try {
    const args = chunk.flatMap((item) => item.args);
    return (await connection.runOn(client, script, [first.args[0]], args)) as unknown[];
  } catch (error) {
    if (!(error instanceof SlotMovedError)) throw error;
  }
  const values = await Promise.all(chunk.map(({ args }) => connection.run(script, [args[0]], args)));
  return values.flat(1);
}

function chunksOf(items: readonly Numbered[]): Numbered[][] {
  const chunks: Numbered[][] = [];
  for (let at = 0; at < items.length; at += MAX_ITEMS) chunks.push(items.slice(at, at + MAX_ITEMS));
  return chunks;
}

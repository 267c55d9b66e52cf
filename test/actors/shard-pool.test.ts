import test from 'ava';
import type { ActorRef, ParentRef } from '../../actors/actor-ref.js';
import ShardActor from '../../actors/shard-actor.js';
import { SHARD_CAPACITY, ShardPool } from '../../actors/shard-pool.js';

/** Makes shards as comedy does, and counts the children under each. */
function parent(): { ref: ParentRef; children: number[]; fail: (reason: Error | undefined) => void } {
  const children: number[] = [];
  let failure: Error | undefined;
  const childUnder = (shard: number): ActorRef => {
    children[shard] = (children[shard] as number) + 1;
    return {
      send: () => Promise.resolve(),
      sendAndReceive: () => Promise.resolve(),
      destroy: () => {
        children[shard] = (children[shard] as number) - 1;
        return Promise.resolve();
      },
    };
  };
  const ref: ParentRef = {
    createChild: () => {
      const index = children.push(0) - 1;
      const shard = new ShardActor();
      shard.initialize({
        createChild: () => (failure === undefined ? Promise.resolve(childUnder(index)) : Promise.reject(failure)),
      });
      return Promise.resolve({
        send: () => Promise.resolve(),
        sendAndReceive: (_topic, message) => shard.adopt(message as { definition: object }),
        destroy: () => Promise.resolve(),
      });
    },
  };
  return {
    ref,
    children,
    fail: (reason) => {
      failure = reason;
    },
  };
}

test('shard pool: a shard is filled before the next is made, and a gap is filled again', async (t) => {
  const { ref, children } = parent();
  const pool = new ShardPool(ref, 'Shard', (error) => t.fail(String(error)));
  const places = await Promise.all(Array.from({ length: SHARD_CAPACITY + 5 }, () => pool.adopt({})));
  t.deepEqual(children, [SHARD_CAPACITY, 5]);
  for (const place of places.slice(0, 10)) place.release();
  t.deepEqual(children, [SHARD_CAPACITY - 10, 5]);
  await Promise.all(Array.from({ length: SHARD_CAPACITY }, () => pool.adopt({})));
  t.deepEqual(children, [SHARD_CAPACITY - 5, SHARD_CAPACITY]);
});

test('shard pool: a child that does not come into being takes no place', async (t) => {
  const { ref, fail, children } = parent();
  const pool = new ShardPool(ref, 'Shard', (error) => t.fail(String(error)));
  fail(new Error('no'));
  for (let i = 0; i < SHARD_CAPACITY + 1; i++) await t.throwsAsync(pool.adopt({}), { message: 'no' });
  fail(undefined);
  await pool.adopt({});
  t.deepEqual(children, [1]);
});

test('shard actor: cannot adopt before it is initialized', (t) => {
  t.throws(() => new ShardActor().adopt({ definition: {} }));
});

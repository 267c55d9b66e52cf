/**
 * What the design knows about comedy 2.1.7 and builds on, one test a fact, against the real thing. When one of these
 * fails after an upgrade, the choice in `cluster/` that rests on it is to be looked at again.
 */
import { once } from 'node:events';
import test from 'ava';
import { type ActorRef, ShardPool } from '../../actors/index.js';
import { actorPath, createActorTree } from '../../cluster/actor-system.js';
import { createThreadedActor } from '../../cluster/threaded-actor.js';
import ProbeActor from '../support/probe-actor.js';
import { type ComedyRef, pause, startComedy } from '../support/start-comedy.js';

/** Long enough for an answer across threads on a busy machine, short enough to wait for one that never comes. */
const NEVER_MS = 400;

test('comedy: a child that ends leaves a copy of the sibling list behind, hence the shards', async (t) => {
  const { root } = await startComedy(t);
  const children = await Promise.all([1, 2, 3].map(() => root.createChild(new ProbeActor(), { mode: 'in-memory' })));
  const before = root.childPromises;
  t.is(before.length, 3);
  await children[0]?.destroy();
  t.not(root.childPromises, before, 'the whole list is copied, not spliced');
  t.is(root.childPromises.length, 2);
});

test('comedy: a shard pool keeps a family in small shards', async (t) => {
  const { root } = await startComedy(t);
  const pool = new ShardPool(root, 'Shard', (error) => t.fail(String(error)));
  const adopted = await Promise.all(Array.from({ length: 600 }, () => pool.adopt(new ProbeActor())));
  const sizes = ((await root.tree()).children ?? []).map(({ name, children = [] }) => [name, children.length]);
  t.deepEqual(sizes, [
    ['Shard-0', 250],
    ['Shard-1', 250],
    ['Shard-2', 100],
  ]);
  for (const place of adopted.slice(0, 10)) place.release();
  await Promise.all([pool.adopt(new ProbeActor()), pool.adopt(new ProbeActor())]);
  t.is((await root.tree()).children?.length, 3, 'a place that was given back is taken before a new shard is made');
});

test('comedy: handlers interleave at await', async (t) => {
  const { root } = await startComedy(t);
  const probe = await root.createChild(new ProbeActor(), { mode: 'in-memory' });
  const [, log] = await Promise.all(['a', 'b'].map((name) => probe.sendAndReceive('slow', { name })));
  t.deepEqual(log, ['a begins', 'b begins', 'a ends', 'b ends']);
});

test('comedy: an array as only argument is taken for the arguments and fails across threads, in an object it arrives', async (t) => {
  const { ref } = await startProbe(t);
  await t.throwsAsync(ref.sendAndReceive('argumentsOf', [1, 2, 3] as object), { message: /reading '0'/ });
  t.deepEqual(await ref.sendAndReceive('argumentsOf', { list: [1, 2, 3] }), { count: 1, args: [{ list: [1, 2, 3] }] });
});

test('comedy: bytes and text of any alphabet cross a thread whole', async (t) => {
  const { ref } = await startProbe(t);
  const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  // A view on a larger buffer, as packed batches are.
  const bytes = Buffer.concat([Buffer.alloc(7), every, Buffer.alloc(7)]).subarray(7, 263);
  t.deepEqual(await ref.sendAndReceive('bytes', { bytes }), {
    isUint8Array: true,
    hex: Buffer.from(every).toString('hex'),
  });
  const text = 'grüße 你好 🦆 \u0000 \ud7ff';
  t.deepEqual(await ref.sendAndReceive('echo', { text }), { message: { text } });
});

test('comedy: a module path of two slashes loads an ES module and its default export', async (t) => {
  const { root, probePath } = await startComedy(t);
  t.regex(probePath, /^\/\/.+probe-actor\.js$/);
  const here = await root.createChild(probePath, { mode: 'in-memory' });
  const there = await startProbe(t);
  const threads = await Promise.all([here, there.ref].map((ref) => ref.sendAndReceive('threadId')));
  t.not(threads[0], threads[1]);
});

test("comedy: a thread's death leaves its actor ready, and asks and tree hang", async (t) => {
  const { root, probePath } = await startComedy(t);
  const ref = (await root.createChild(probePath, { mode: 'threaded' })) as ComedyRef;
  const wrapped = ref.getWrapped();
  t.teardown(() => clearInterval(wrapped.timeoutWorkerInterval));
  const pending = ref.sendAndReceive('never');
  await wrapped.worker?.terminate();
  t.is(ref.getState(), 'ready');
  t.is(root.childPromises.length, 1);
  const asks = [pending, root.tree()].map((ask) => Promise.race([ask, pause(NEVER_MS)]));
  t.deepEqual(await Promise.all(asks), ['pending', 'pending']);
});

for (const [how, end] of [
  ['an uncaught exception', (ref: ActorRef) => void ref.send('dieLater', { afterMs: 0 })],
  ['its termination', (ref: ActorRef) => void (ref as ComedyRef).getWrapped().worker?.terminate()],
] as const) {
  test(`threaded actor: after ${how} asks reject and the tree goes on without it`, async (t) => {
    const { root, actor, ref } = await startProbe(t);
    const pending = ref.sendAndReceive('never');
    t.is(root.childPromises.length, 1);
    end(ref);
    await t.throwsAsync(pending, { message: /crashed/ });
    await t.throwsAsync(ref.sendAndReceive('threadId'), { message: /crashed/ });
    t.regex((await actor.ended).message, /probe died|exit code/);
    t.is(root.childPromises.length, 0);
    t.is((await root.tree()).children, undefined);
    await t.notThrowsAsync(actor.terminate(), 'ending what has ended is no error');
  });
}

test('comedy: destroying the system leaves a thread running, terminating it does not', async (t) => {
  const { ref, actor, destroy } = await startProbe(t);
  const thread = (ref as ComedyRef).getWrapped().worker;
  if (thread === undefined) return t.fail('no thread');
  await ref.sendAndReceive('keepBusyForEver');
  const exit = once(thread, 'exit');
  await destroy();
  t.is(await Promise.race([exit.then(() => 'ended'), pause(NEVER_MS)]), 'pending');
  await actor.terminate();
  t.true(Array.isArray(await exit));
});

test.serial('actor tree: comedy keeps none of its signal handlers', async (t) => {
  const listeners = () => (['SIGINT', 'SIGTERM'] as const).map((signal) => process.listeners(signal));
  const mine = () => {};
  process.once('SIGTERM', mine);
  t.teardown(() => process.removeListener('SIGTERM', mine));
  const before = listeners();
  const tree = await createActorTree(new ProbeActor());
  t.deepEqual(listeners(), before);
  await tree.destroy();
  t.deepEqual(listeners(), before);
});

test('actor path: points from a module to its neighbour', (t) => {
  t.is(actorPath('file:///srv/a%20b/cluster/node.js', './worker.js'), '//srv/a b/cluster/worker.js');
});

async function startProbe(t: Parameters<typeof startComedy>[0]) {
  const comedy = await startComedy(t);
  const actor = await createThreadedActor(comedy.root, comedy.probePath, 'Probe');
  t.teardown(() => actor.terminate());
  return { ...comedy, actor, ref: actor.ref };
}

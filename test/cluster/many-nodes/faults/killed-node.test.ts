/** A node that dies without a word: under pushes with many devices, and under a multicast. */
import test from 'ava';
import { Receipts } from '../../../support/receipts.js';
import {
  type ClusterNode,
  engineAt,
  eventually,
  ms,
  PATIENT_MS,
  startRedis,
  TestCluster,
} from '../../../support/test-cluster.js';
import { Crowd } from '../../../support/test-crowd.js';

const DEVICES = 5_000;
const BATCH = 500;
/** Multicasts that everybody has before the node dies. */
const CERTAIN = 50;

test.serial('many nodes: kill -9 of a node with 5,000 devices', async (t) => {
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, {
    engine: { ...engineAt(redis.address), commandTimeoutMs: PATIENT_MS },
    leaseMs: 5_000,
  });
  const [first, second, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
  const receipts = new Receipts();
  const crowd = new Crowd(cluster, receipts);
  const loginMs = await crowd.connect(DEVICES, [first]);
  const backEnd = third.backEnd();

  const before = await pushToAll(crowd, receipts, backEnd, 'before');
  t.deepEqual(before, { delivered: DEVICES });

  // Pushes are on their way when it dies.
  const dying = pushToAll(crowd, receipts, backEnd, 'dying');
  await eventually(() => receipts.countOf('dying') > 0);
  await first.kill();
  const killedMs = performance.now();
  t.log('while it died', await dying);
  let rounds = 0;
  let counts: Record<string, number> = {};
  do {
    counts = await pushToAll(crowd, receipts, backEnd, `after-${rounds++}`);
  } while (counts['offline'] !== DEVICES);
  const offlineMs = performance.now() - killedMs;
  t.is((await backEnd.presence(crowd.deviceIds.slice(0, 1_000))).filter(({ online }) => online).length, 0);

  const backMs = await crowd.connect(DEVICES, [second, third]);
  t.deepEqual(await pushToAll(crowd, receipts, backEnd, 'back'), { delivered: DEVICES });
  await eventually(() => receipts.countOf('back') === DEVICES);
  // The survivors sweep what it left, and nothing of what came since.
  await eventually(async () => (await second.peers()).length === 2);
  t.deepEqual(await pushToAll(crowd, receipts, backEnd, 'swept'), { delivered: DEVICES });
  await eventually(() => receipts.countOf('swept') === DEVICES);

  t.deepEqual(receipts.missing(), [], 'reported delivered, and not there');
  t.deepEqual(receipts.unexpected(), [], 'reported as not delivered, and there');
  t.deepEqual(receipts.repeated(), []);
  t.log(`${DEVICES} logins in ${ms(loginMs)}; all offline ${ms(offlineMs)} after the kill; all back in ${ms(backMs)}`);
  crowd.close();
});

test.serial('many nodes: kill -9 of a node under multicast', async (t) => {
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, { engine: { ...engineAt(redis.address), commandTimeoutMs: PATIENT_MS } });
  const [first, second, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
  const backEnd = third.backEnd();
  await backEnd.createGroup('room-1');
  const offsets = new Map<string, Set<number>>();
  let repeated = 0;
  for (let i = 0; i < 60; i++) {
    const deviceId = `member-${i}`;
    const home = cluster.nodes[i % 3] as ClusterNode;
    const others = cluster.nodes.filter((node) => node !== home);
    const client = await cluster.online(deviceId, { to: [home, ...others] });
    const got = new Set<number>();
    offsets.set(deviceId, got);
    client.business('im').onPush(({ offset = -1 }) => {
      if (got.has(offset)) repeated += 1;
      got.add(offset);
    });
    await client.business('im').join('room-1');
  }
  await eventually(async () => (await backEnd.groupInfo('room-1'))?.members === 60);

  const answers: { offset: number; members: number; unanswered: number }[] = [];
  const refusals: unknown[] = [];
  let isRunning = true;
  t.teardown(() => {
    isRunning = false;
  });
  const load = (async () => {
    for (let i = 0; isRunning; i++) {
      try {
        answers.push(await backEnd.pushToGroup('room-1', { payload: `${i}` }));
      } catch (error) {
        // A machine that stalls is too slow for Redis now and then.
        refusals.push((error as { code?: unknown }).code);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const dead = [...offsets].filter((_, i) => i % 3 === 0);
  const survivors = [...offsets].filter((_, i) => i % 3 !== 0);
  await eventually(() => dead.every(([, got]) => got.size >= CERTAIN));
  await first.kill();
  const killedMs = performance.now();
  // Its members come back to the others and join by themselves.
  const until = answers.length + 10;
  await eventually(() => answers.length >= until && answers.slice(-5).every(isWhole));
  const wholeMs = performance.now() - killedMs;
  isRunning = false;
  await load;

  const sent = answers.map(({ offset }) => offset);
  t.deepEqual(
    sent,
    [...sent].sort((a, b) => a - b),
  );
  t.is(new Set(sent).size, sent.length);
  await eventually(() => survivors.every(([, got]) => sent.every((offset) => got.has(offset))));
  // A member of the dead node has a hole, and everything before and after it.
  const around = [...sent.slice(0, CERTAIN), ...sent.slice(-5)];
  await eventually(() => dead.every(([, got]) => around.every((offset) => got.has(offset))));
  t.is(repeated, 0);
  t.true(
    refusals.every((code) => code === 'TRK_ENGINE_UNAVAILABLE'),
    String(refusals),
  );
  // What the dead node had counts until it is declared gone.
  const info = second.backEnd();
  await eventually(async () => (await second.stateOf(first)) === 'gone');
  await eventually(async () => (await info.groupInfo('room-1'))?.members === 60);
  const holes = dead.map(([, got]) => sent.filter((offset) => !got.has(offset)).length);
  const unanswered = answers.filter((answer) => answer.unanswered > 0).length;
  t.log(`whole again ${ms(wholeMs)} after the kill; ${unanswered} of ${sent.length} multicasts with a node unanswered`);
  t.log(`members of the dead node missed ${Math.min(...holes)} to ${Math.max(...holes)} of ${sent.length}`);
});

function isWhole({ members, unanswered }: { readonly members: number; readonly unanswered: number }): boolean {
  return members === 60 && unanswered === 0;
}

/** Pushes to every device of the crowd, in batches, all at once. @returns results by word */
async function pushToAll(
  crowd: Crowd,
  receipts: Receipts,
  backEnd: ReturnType<ClusterNode['backEnd']>,
  name: string,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const { deviceIds } = crowd;
  const batches = Array.from({ length: Math.ceil(deviceIds.length / BATCH) }, (_, i) =>
    deviceIds.slice(i * BATCH, (i + 1) * BATCH),
  );
  await Promise.all(
    batches.map(async (batch) => {
      const { results } = await backEnd.pushToDevices(batch, { payload: name, messageId: name });
      for (const told of results) {
        receipts.told(told.device, name, told);
        counts[told.result] = (counts[told.result] ?? 0) + 1;
      }
    }),
  );
  return counts;
}

/** Every node of three is restarted, one after the other, while devices ask and back-ends push. */
import test from 'ava';
import { PushLoad } from '../../../support/push-load.js';
import { Receipts } from '../../../support/receipts.js';
import {
  type ClusterNode,
  engineAt,
  eventually,
  PATIENT_MS,
  sleep,
  startRedis,
  TestCluster,
} from '../../../support/test-cluster.js';
import { startBackEnd } from '../../../upstream/real-back-end.js';

const DEVICES = 60;

test.serial('many nodes: a rolling restart of three under load', async (t) => {
  const upstream = await startBackEnd(t, ({ body }, response) => {
    setTimeout(() => response.end(body), 20);
  });
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, {
    engine: { ...engineAt(redis.address), commandTimeoutMs: PATIENT_MS },
    node: { upstreamUrl: upstream.url, drainMs: 6_000 },
  });
  const receipts = new Receipts();
  let isRunning = true;
  t.teardown(() => {
    isRunning = false;
  });
  let asked = 0;
  const failures: string[] = [];
  const backMs: number[] = [];
  const asking: Promise<void>[] = [];
  for (let i = 0; i < DEVICES; i++) {
    const home = cluster.nodes[i % 3] as ClusterNode;
    const client = cluster.client(`device-${i}`, { to: [home, ...cluster.nodes.filter((node) => node !== home)] });
    receipts.watch(`device-${i}`, client);
    let toldMs = 0;
    client.on('goaway', () => {
      toldMs = performance.now();
    });
    client.on('online', () => {
      if (toldMs > 0) backMs.push(performance.now() - toldMs);
      toldMs = 0;
    });
    await client.connect();
    asking.push(
      (async () => {
        for (let n = 0; isRunning; n++) {
          asked += 1;
          const text = `${i}-${n}`;
          const reply = await client
            .business('im')
            .request('echo', text)
            .catch((error: Error) => error);
          if (reply instanceof Error || reply.text() !== text) failures.push(`${text}: ${String(reply)}`);
          await sleep(50);
        }
      })(),
    );
  }
  const devices = Array.from({ length: DEVICES }, (_, i) => `device-${i}`);
  const backEnds = new Map(cluster.nodes.map((node) => [node, node.backEnd()]));
  // As a balancer would: nobody is sent to a node that is not ready.
  const load = new PushLoad(t, { receipts, devices, through: () => [...backEnds.values()] });
  await eventually(() => receipts.held > 100);

  for (const node of [...cluster.nodes]) {
    backEnds.delete(node);
    node.signal('SIGTERM');
    t.is(await node.exited, 0, node.stderr);
    cluster.nodes.splice(cluster.nodes.indexOf(node), 1);
    const next = await cluster.add({ name: node.name });
    await cluster.joined();
    backEnds.set(next, next.backEnd());
  }
  await sleep(500);
  await load.stop();
  isRunning = false;
  await Promise.all(asking);
  await sleep(500);

  t.deepEqual(failures, [], `of ${asked} requests`);
  t.deepEqual(receipts.missing(), [], 'reported delivered, and not there');
  t.deepEqual(receipts.unexpected(), [], 'reported as not delivered, and there');
  t.deepEqual(receipts.repeated(), []);
  t.is(load.unanswered, 0);
  // A machine that stalls is too slow for Redis now and then.
  t.deepEqual(
    [...load.refusals.keys()].filter((code) => code !== 'TRK_ENGINE_UNAVAILABLE'),
    [],
  );
  const sorted = backMs.sort((a, b) => a - b);
  const p95 = sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN;
  t.log(`${asked} requests, none lost; ${load.sent} pushes`, receipts.counts());
  t.log(`${sorted.length} moves; back after being told, median ${at(sorted, 0.5)}, p95 ${Math.round(p95)} ms`);
});

function at(sorted: readonly number[], share: number): string {
  return `${Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN)} ms`;
}

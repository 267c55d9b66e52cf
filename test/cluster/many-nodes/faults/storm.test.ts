/** A node dies under real clients: how they arrive at the survivors, by the second. */
import test from 'ava';
import {
  type ClusterNode,
  engineAt,
  eventually,
  PATIENT_MS,
  startRedis,
  TestCluster,
} from '../../../support/test-cluster.js';

const CLIENTS = 400;
/** The first delay after a silent loss is spread over four times as long. */
const RETRY = { minMs: 3_000, maxMs: 30_000 };

test.serial(
  'many nodes: the clients of a node that dies spread over the survivors in time, one connect each',
  async (t) => {
    const redis = await startRedis(t);
    const cluster = await TestCluster.start(t, {
      engine: { ...engineAt(redis.address), commandTimeoutMs: PATIENT_MS },
      leaseMs: 5_000,
    });
    const [first, second, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const arrivals: { readonly atMs: number; readonly why: string; readonly accessPoint: string }[] = [];
    const plannedMs: number[] = [];
    const clients = Array.from({ length: CLIENTS }, (_, i) => {
      const survivors = i % 2 === 0 ? [second.tcp, third.tcp] : [third.tcp, second.tcp];
      const client = cluster.client(`storm-${i}`, {
        credentials: async () => ({
          ...(await cluster.token(`storm-${i}`)),
          accessPoints: { tcp: [first.tcp, ...survivors] },
          retry: RETRY,
        }),
      });
      client.on('online', ({ why, accessPoint }) => arrivals.push({ atMs: performance.now(), why, accessPoint }));
      client.on('offline', ({ nextAttemptMs }) => plannedMs.push(nextAttemptMs ?? Number.NaN));
      return client;
    });
    for (const client of clients) await client.connect();
    t.true(arrivals.every(({ accessPoint }) => accessPoint === first.tcp));
    arrivals.length = 0;

    const killedMs = performance.now();
    await first.kill();
    await eventually(() => arrivals.length === CLIENTS);

    const countBySecond = (momentsMs: readonly number[]): number[] => {
      const counts: number[] = [];
      for (const ms of momentsMs) counts[Math.floor(ms / 1_000)] = (counts[Math.floor(ms / 1_000)] ?? 0) + 1;
      return Array.from(counts, (count = 0) => count);
    };
    const perSecond = countBySecond(arrivals.map(({ atMs }) => atMs - killedMs));
    t.log(`planned per second: ${countBySecond(plannedMs).join(', ')}`);
    t.log(`connects per second at the survivors: ${perSecond.join(', ')}`);
    // What each planned does not depend on how the machine stalls; what arrived may bunch a little.
    t.is(plannedMs.length, CLIENTS, 'one loss each, and no attempt failed');
    t.true(Math.max(...countBySecond(plannedMs)) < CLIENTS / 6);
    t.true(Math.max(...perSecond) < CLIENTS / 2);
    t.true(arrivals.every(({ why, accessPoint }) => why === 'fallback' && accessPoint !== first.tcp));
    const atSecond = arrivals.filter(({ accessPoint }) => accessPoint === second.tcp).length;
    t.is(atSecond, CLIENTS / 2, 'each went to the next of its own order');
  },
);

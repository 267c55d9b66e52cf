/**
 * Two nodes with devices, and pushes that do not stop, each from the node that the device may not be on; and what must
 * hold of them in the end, whatever happened to Redis meanwhile.
 */
import type { ExecutionContext } from 'ava';
import type { ConfigInput } from '../../config/index.js';
import { allEvents } from '../sdk/client-fixture.js';
import { PushLoad } from './push-load.js';
import { Receipts } from './receipts.js';
import { type ClusterNode, eventually, sleep, TestCluster } from './test-cluster.js';

const DEVICES = 40;

/** What a back-end is told over HTTP while Redis is away. */
export const AWAY = 'TRK_ENGINE_UNAVAILABLE';

export interface BusyCluster {
  readonly cluster: TestCluster;
  readonly receipts: Receipts;
  readonly load: PushLoad;
  /** Of all clients: none, while connections stay. */
  readonly offlines: readonly unknown[];
  /** Of every device, in order. */
  connectionIds(): Promise<(string | undefined)[]>;
}

export async function startBusy(
  t: ExecutionContext,
  engine: NonNullable<ConfigInput['engine']>,
  leaseMs?: number,
): Promise<BusyCluster> {
  const cluster = await TestCluster.start(t, { engine, size: 2, ...(leaseMs === undefined ? {} : { leaseMs }) });
  const receipts = new Receipts();
  const devices = Array.from({ length: DEVICES }, (_, i) => `device-${i}`);
  const clients = await Promise.all(
    devices.map(async (device, i) => {
      const client = await cluster.online(device, { to: [cluster.nodes[i % 2] as ClusterNode] });
      receipts.watch(device, client);
      return client;
    }),
  );
  const offlines = clients.map((client) => allEvents(client, 'offline'));
  const backEnds = cluster.nodes.map((node) => node.backEnd());
  const load = new PushLoad(t, { receipts, devices, through: () => backEnds });
  await eventually(() => receipts.held > 100);
  return {
    cluster,
    receipts,
    load,
    get offlines() {
      return offlines.flat();
    },
    async connectionIds() {
      const present = await (backEnds[0] as (typeof backEnds)[0]).presence(devices);
      return present.map(({ connectionId }) => connectionId);
    },
  };
}

/** Resolves when each node reaches every device. */
export async function allReachable({ nodes }: TestCluster): Promise<void> {
  const devices = Array.from({ length: DEVICES }, (_, i) => `device-${i}`);
  for (const node of nodes) {
    const backEnd = node.backEnd();
    await eventually(async () => {
      const { results } = await backEnd.pushToDevices(devices, { payload: 'there?' }).catch(() => ({ results: [] }));
      return results.length > 0 && results.every(({ result }) => result === 'delivered');
    });
  }
}

/** No result was a lie, and nothing was refused but for Redis. The load has stopped. */
export async function truthful(t: ExecutionContext, { receipts, load }: BusyCluster): Promise<void> {
  await sleep(500);
  t.deepEqual(receipts.missing(), [], 'reported delivered, and not there');
  t.deepEqual(receipts.unexpected(), [], 'reported as not delivered, and there');
  t.deepEqual(receipts.repeated(), []);
  t.deepEqual(
    [...load.refusals.keys()].filter((code) => code !== AWAY),
    [],
  );
  t.log('results', receipts.counts(), 'refused', load.refused, 'of', load.sent);
}

/** What an operator sees of the nodes of a service, and how they drain one. */
import test from 'ava';
import { type ClusterStatus, type DrainRequest, NodeNotRunningError, NoSuchTargetError } from '../../cluster/index.js';
import { KEYS, startBridge } from '../support/bridge.js';

const status: ClusterStatus = {
  node: 'a',
  engine: 'redis',
  leaseMs: 5_000,
  own: { state: 'registered', reason: 'its lease stands', stateMs: 1_000 },
  nodes: [
    {
      name: 'a',
      incarnation: '4f1c2ab09d3e5f60',
      version: '0.1.0',
      region: 'default',
      roles: ['access'],
      startedAtMs: 1,
      connections: 3,
      connectionLimit: 10,
      load: 0.25,
      draining: false,
      accessPoints: { tcp: '127.0.0.1:7100' },
      workersUp: 2,
      workers: 2,
      state: 'joined',
      reason: 'its lease stands',
      stateMs: 1_000,
      leaseLeftMs: 4_000,
      leaseAgeMs: 1_000,
      own: true,
    },
  ],
};

async function startAdmin(t: Parameters<typeof startBridge>[0]) {
  const bridge = await startBridge(t, { adminKeys: [KEYS.admin] });
  const drain = (body?: object) =>
    bridge.call('POST', '/v1/admin/drain', { key: KEYS.admin, ...(body === undefined ? {} : { body }) });
  return { ...bridge, drain };
}

test('admin cluster: shows what the node knows', async (t) => {
  const { call, node } = await startAdmin(t);
  t.is((await call('GET', '/v1/admin/cluster')).status, 401);
  node.cluster = () => status;
  const answer = await call('GET', '/v1/admin/cluster', { key: KEYS.admin });
  t.is(answer.status, 200);
  t.deepEqual(answer.json, status as object);
});

test('admin drain: begins with what was asked, and says what follows', async (t) => {
  const { drain, node } = await startAdmin(t);
  const asked: DrainRequest[] = [];
  const started = { node: 'a', connections: 3, windowMs: 2_000, withinMs: 10_000, to: ['b'] };
  node.drain = (request) => {
    asked.push(request);
    return started;
  };
  t.deepEqual((await drain()).json, started);
  t.is((await drain({ windowMs: 60_000, preferNode: 'b' })).status, 200);
  t.deepEqual(asked, [{}, { windowMs: 60_000, preferNode: 'b' }]);
});

test('admin drain: what is wrong is told apart', async (t) => {
  const { drain, node } = await startAdmin(t);
  t.is((await drain({ windowMs: -1 })).status, 400);
  t.is((await drain({ colour: 'red' })).status, 400);
  node.drain = () => {
    throw new NoSuchTargetError('c');
  };
  const unknown = await drain({ preferNode: 'c' });
  t.deepEqual([unknown.status, unknown.json.code], [404, 'TRK_UNKNOWN_NODE']);
  node.drain = () => {
    throw new NodeNotRunningError('stopping');
  };
  const stopping = await drain();
  t.deepEqual([stopping.status, stopping.json.code], [503, 'TRK_NODE_NOT_RUNNING']);
});

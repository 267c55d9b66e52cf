/** Nodes of one service that each do a part: who bootstraps at one is sent to others, and a push enters at a third. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type ComposedNode, startComposedNode } from '../../cli/compose.js';
import type { NodeRole } from '../../cluster/index.js';
import { type ConfigInput, parseConfig } from '../../config/index.js';
import type { Explanation } from '../../control/index.js';
import { createClient } from '../../sdk/node.js';
import { DeviceSecrets, SigningKeys } from '../../tokens/index.js';
import { type Call, createHttpClient } from '../support/http-client.js';
import { captureLog, type LogCapture } from '../support/log-capture.js';
import { RedisServer } from '../support/redis-server.js';
import { eventually } from '../support/start-test-node.js';
import { TEST_KEYS, testConfig } from '../support/test-config.js';

const ADMIN_KEY = 'test-admin-key-0123456789';

interface RunningNode {
  readonly handle: ComposedNode;
  readonly logs: LogCapture;
  /** At the private listener. */
  readonly call: Call;
}

interface Part {
  readonly name: string;
  readonly region: string;
  readonly roles: NodeRole[];
  readonly connections?: number;
}

async function startService(t: ExecutionContext) {
  const redis = await RedisServer.start();
  const dir = await mkdtemp(join(tmpdir(), 'trunkline-roles-'));
  const keys = join(dir, 'first');
  await SigningKeys.open(keys);
  await DeviceSecrets.open(keys);
  t.teardown(async () => {
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  });
  return async ({ name, region, roles, connections = 100 }: Part): Promise<RunningNode> => {
    const dataDir = join(dir, name);
    await cp(keys, dataDir, { recursive: true });
    const base = testConfig(dataDir, { workers: 1, limits: { connections } });
    const config: ConfigInput = {
      ...base,
      node: { ...base.node, name, region, roles },
      private: { port: 0, adminKeys: [ADMIN_KEY] },
      engine: { type: 'redis', addresses: [redis.address] },
      cluster: { leaseMs: 3_000 },
      control: { regions: { eu: { fallback: ['us'] }, us: {} } },
    };
    const logs = captureLog();
    const handle = await startComposedNode(parseConfig(JSON.stringify(config)), logs.log);
    const http = createHttpClient(handle.addresses.services['BridgeActor'] ?? '');
    t.teardown(async () => {
      await http.close();
      await handle.stop();
    });
    return { handle, logs, call: http.call };
  };
}

const names = ({ nodes }: Explanation) => nodes.map(({ node }) => node).sort();

test('split roles: nodes that hold connections, one that bootstraps, one that pushes', async (t) => {
  const start = await startService(t);
  // One after the other: each builds threads, and the machine is small.
  const eu = await start({ name: 'eu-1', region: 'eu', roles: ['access'] });
  const us = await start({ name: 'us-1', region: 'us', roles: ['access'], connections: 1 });
  const control = await start({ name: 'door', region: 'eu', roles: ['control'] });
  const bridge = await start({ name: 'back', region: 'eu', roles: ['bridge'] });
  const explain = async (query = ''): Promise<Explanation> =>
    (await bridge.call('GET', `/v1/admin/explain${query}`, { key: ADMIN_KEY })).json;
  await eventually(async () => names(await explain()).join() === 'back,door,eu-1,us-1');

  t.deepEqual(Object.keys(eu.handle.addresses.services), ['BridgeActor'], 'no public listener');
  t.deepEqual(Object.keys(control.handle.addresses).sort(), ['services'], 'no access listener');
  t.is((await eu.call('GET', '/v1/groups', { key: TEST_KEYS.im })).status, 404);
  t.is((await control.call('POST', '/v1/tokens', { key: TEST_KEYS.app, body: {} })).status, 404);
  for (const node of [eu, us, control, bridge]) t.is((await node.call('GET', '/readyz')).status, 200);

  const url = `http://${control.handle.addresses.services['ControlActor']}`;
  const bootstrap = async (attributes: Record<string, string>) => {
    const response = await fetch(`${url}/v1/bootstrap`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ app: 'demo', attributes }),
    });
    return (await response.json()) as { accessPoints?: { tcp: string[] }; code?: string };
  };
  await eventually(async () => (await bootstrap({ region: 'us' })).accessPoints !== undefined);
  t.deepEqual((await bootstrap({ region: 'us' })).accessPoints?.tcp, [us.handle.addresses.tcp]);
  t.deepEqual((await bootstrap({})).accessPoints?.tcp, [eu.handle.addresses.tcp]);

  const client = createClient({ bootstrapUrl: url, app: 'demo', attributes: { region: 'us' } });
  t.teardown(() => client.close());
  const online = new Promise<string>((resolve) => client.on('online', (event) => resolve(event.deviceId ?? '')));
  await client.connect();
  const deviceId = await online;
  const body = { payload: 'through another node' };
  const push = await bridge.call('POST', `/v1/apps/demo/devices/${deviceId}/push`, { key: TEST_KEYS.im, body });
  t.is(push.json.result, 'delivered');
  const { device } = (await bridge.call('GET', `/v1/apps/demo/devices/${deviceId}/explain`, { key: TEST_KEYS.app }))
    .json as Explanation;
  t.deepEqual([device?.state, device?.node, device?.region], ['online', 'us-1', 'us']);

  // us-1 may have one connection and has it.
  const reasonOf = async (node: string) =>
    (await explain('?region=us')).nodes.find((each) => each.node === node)?.leftOut;
  await eventually(async () => (await reasonOf('us-1')) === 'full');
  t.is(await reasonOf('eu-1'), 'other-region');
  t.is(await reasonOf('door'), 'no-access');
  await eventually(async () => (await bootstrap({ region: 'us' })).code === 'TRK_NOT_READY');

  // Full there, and going here: nobody is left for eu, which may fall back to us.
  await eu.handle.stop();
  await eventually(async () => (await bootstrap({ region: 'eu' })).code === 'TRK_NOT_READY');
  await client.close();
  await eventually(async () => (await bootstrap({ region: 'eu' })).accessPoints?.tcp[0] === us.handle.addresses.tcp);

  const signs = [eu, us, control, bridge].map(({ logs }) => {
    return logs.entries.find(({ message }) => message.startsWith('device tokens are signed'))?.['signs'];
  });
  t.is(new Set(signs).size, 1);
  t.truthy(signs[0]);
});

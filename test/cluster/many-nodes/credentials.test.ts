/** What is revoked or rotated at one node, on the live connections and logins of the others. Real nodes, a real Redis. */
import test from 'ava';
import { decodeProtectedHeader } from 'jose';
import { CloseCode } from '../../../protocol/index.js';
import {
  type ClusterNode,
  engineAt,
  eventually,
  PATIENT_MS,
  startRedis,
  TEST_KEYS,
  TestCluster,
} from '../../support/test-cluster.js';

type Three = [ClusterNode, ClusterNode, ClusterNode];

const DEVICE = '/v1/apps/demo/devices';

function revoke(node: ClusterNode, body: Record<string, unknown>) {
  return node.call('POST', '/v1/revocations', { key: TEST_KEYS.app, body: { app: 'demo', ...body } });
}

function issue(node: ClusterNode, deviceId: string) {
  return node.call('POST', '/v1/tokens', { key: TEST_KEYS.app, body: { app: 'demo', deviceId } });
}

async function kidsOf(node: ClusterNode): Promise<string[]> {
  const { json } = await node.callPublic('GET', '/.well-known/jwks.json');
  return json.keys.map(({ kid }: { kid: string }) => kid);
}

function credentialsAt({ tcp }: ClusterNode, token: string) {
  return { token, expiresAtMs: Date.now() + 3_600_000, accessPoints: { tcp: [tcp] } };
}

/** A device that stays away when its token is refused. */
async function online(cluster: TestCluster, deviceId: string, at: ClusterNode, token?: string) {
  const credentials = credentialsAt(at, token ?? (await cluster.token(deviceId)).token);
  let closedMs: number | undefined;
  let code: number | undefined;
  const client = cluster.client(deviceId, { credentials: async () => credentials });
  client.on('offline', (event) => {
    closedMs ??= performance.now();
    code ??= event.code;
  });
  await client.connect();
  return {
    client,
    token: credentials.token,
    get closedMs() {
      return closedMs;
    },
    get code() {
      return code;
    },
  };
}

async function isRefused(cluster: TestCluster, deviceId: string, at: ClusterNode, token: string): Promise<boolean> {
  const codes: (number | undefined)[] = [];
  const credentials = credentialsAt(at, token);
  const client = cluster.client(deviceId, { credentials: async () => credentials });
  client.on('offline', ({ code }) => codes.push(code));
  client.connect().catch(() => {});
  await eventually(() => client.state === 'online' || codes.length > 0 || client.state === 'closed');
  const refused = client.state !== 'online';
  client.close();
  return refused;
}

test.serial('many nodes: what one node revokes ends connections at every node, and holds over a restart', async (t) => {
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, {
    engine: { ...engineAt(redis.address), commandTimeoutMs: PATIENT_MS },
    size: 3,
  });
  const [a, b, c] = cluster.nodes as Three;
  const [ada, bob, bystander] = [
    await online(cluster, 'ada', a),
    await online(cluster, 'bob', c),
    await online(cluster, 'bystander', a),
  ];
  const beganMs = performance.now();
  t.is((await revoke(b, { deviceId: 'ada' })).status, 200);
  await eventually(() => ada.closedMs !== undefined);
  t.log(`revoked at one node, closed at another after ${((ada.closedMs as number) - beganMs).toFixed(1)} ms`);
  t.is(ada.code, CloseCode.invalidToken);
  t.true(await isRefused(cluster, 'ada', c, ada.token), 'refused by a third');
  await revoke(a, { deviceId: 'bob', identity: true });
  await eventually(() => bob.code === CloseCode.invalidToken);
  for (const node of [b, c]) await eventually(async () => (await issue(node, 'bob')).status === 403);
  t.is(bystander.client.state, 'online');

  await c.kill();
  cluster.nodes.pop();
  const late = await cluster.add({ name: c.name });
  t.is((await issue(late, 'bob')).json.code, 'TRK_DEVICE_REVOKED', 'a node that starts again, on an empty directory');
  t.true(await isRefused(cluster, 'ada', late, ada.token));

  t.deepEqual((await b.call('DELETE', `${DEVICE}/bob/revocation`, { key: TEST_KEYS.app })).json, { lifted: true });
  for (const node of [a, late]) await eventually(async () => (await issue(node, 'bob')).status === 200);
  t.true(await isRefused(cluster, 'bob', a, bob.token), 'those from before stay revoked');

  await revoke(late, { beforeMs: Date.now() });
  await eventually(() => bystander.code === CloseCode.invalidToken);
});

test.serial('many nodes: a key rotated at one node is accepted by all before it signs', async (t) => {
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, {
    engine: { ...engineAt(redis.address), commandTimeoutMs: PATIENT_MS },
    size: 3,
  });
  const [a, b, c] = cluster.nodes as Three;
  const { status, json } = await a.admin('POST', '/v1/admin/keys/rotate');
  t.is(status, 200, JSON.stringify(json));
  for (const node of [a, b, c]) t.deepEqual(new Set(await kidsOf(node)), new Set([json.previousKid, json.kid]));
  const { token } = (await issue(a, 'young')).json;
  t.is(decodeProtectedHeader(token).kid, json.kid);
  for (const node of [b, c]) {
    const device = await online(cluster, 'young', node, token);
    t.is(device.client.state, 'online');
    device.client.close();
  }
  t.is(decodeProtectedHeader((await issue(b, 'other')).json.token).kid, json.previousKid, 'each signs with its own');
  const late = await cluster.add();
  t.is((await online(cluster, 'young', late, token)).client.state, 'online', 'a node that starts later');
});

test.serial('many nodes: revoked while Redis is away, said so, and in force everywhere when it is back', async (t) => {
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, { engine: engineAt(redis.address), size: 2 });
  const [a, b] = cluster.nodes as [ClusterNode, ClusterNode];
  const [here, there] = [await online(cluster, 'here', b), await online(cluster, 'there', a)];
  await redis.kill();
  await eventually(
    async () => (await a.admin('POST', '/v1/admin/keys/rotate')).json.code === 'TRK_KEYS_NOT_DISTRIBUTED',
  );
  const first = await revoke(b, { deviceId: 'here' });
  t.is(first.status, 503);
  t.is(first.json.code, 'TRK_REVOCATION_NOT_SPREAD');
  await eventually(() => here.code === CloseCode.invalidToken);
  t.is((await revoke(b, { deviceId: 'there' })).status, 503);
  t.is(there.client.state, 'online');
  await redis.startAgain();
  await eventually(() => there.code === CloseCode.invalidToken);
  await eventually(async () => (await revoke(a, { deviceId: 'here' })).status === 200);
  await eventually(async () => (await b.admin('POST', '/v1/admin/keys/rotate')).status === 200);
});

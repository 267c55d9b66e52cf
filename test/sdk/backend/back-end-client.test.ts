import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { BackEndClient, BridgeError } from '../../../sdk/backend/index.js';

interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** A bridge that notes what it is asked and answers as told. */
async function startBridge(t: ExecutionContext, answer: Answer) {
  const asked: { line: string; authorization: string | undefined; type: string | undefined; body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const { authorization, 'content-type': type } = request.headers;
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    asked.push({ line: `${request.method} ${request.url}`, authorization, type, body });
    const { status = 200, headers = {} } = answer;
    const text2 = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    response.writeHead(status, headers).end(text2);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new BackEndClient({ url, key: 'k'.repeat(16), app: 'demo' });
  t.teardown(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  return { url, client, asked, server };
}

type Case = [
  call: (client: BackEndClient) => Promise<unknown>,
  line: string,
  body: unknown,
  answer: Answer,
  result: unknown,
];

const delivered = { messageId: 'm', result: 'delivered' };
const cases: Record<string, Case> = {
  'unicast of text': [
    (c) => c.pushToDevice('a/b ü', { payload: 'hi', messageId: 'm', metadata: { k: 'v' } }),
    'POST /v1/apps/demo/devices/a%2Fb%20%C3%BC/push',
    { payload: 'hi', messageId: 'm', metadata: { k: 'v' } },
    { body: delivered },
    delivered,
  ],
  'unicast of bytes, to another app': [
    (c) => c.pushToDevice('d', { payload: Uint8Array.of(0, 255) }, { app: 'other' }),
    'POST /v1/apps/other/devices/d/push',
    { payloadBase64: 'AP8=' },
    { body: delivered },
    delivered,
  ],
  batch: [
    (c) => c.pushToDevices(['a', 'b'], { payload: '' }),
    'POST /v1/apps/demo/push',
    { devices: ['a', 'b'], payload: '' },
    { body: { messageId: 'm', results: [] } },
    { messageId: 'm', results: [] },
  ],
  multicast: [
    (c) => c.pushToGroup('room 1', { payload: 'x' }),
    'POST /v1/groups/room%201/push',
    { payload: 'x' },
    { body: { messageId: 'm', offset: 1, members: 2, unanswered: 0 } },
    { messageId: 'm', offset: 1, members: 2, unanswered: 0 },
  ],
  'unicast with options': [
    (c) => c.pushToDevice('d', { payload: 'x', ttlMs: 5, priority: 'high', droppable: true }),
    'POST /v1/apps/demo/devices/d/push',
    { payload: 'x', ttlMs: 5, priority: 'high', droppable: true },
    { body: delivered },
    delivered,
  ],
  'to a user': [
    (c) => c.pushToUser('ada/1', { payload: 'x' }),
    'POST /v1/apps/demo/users/ada%2F1/push',
    { payload: 'x' },
    { body: { messageId: 'm', user: 'ada/1', devices: [] } },
    { messageId: 'm', user: 'ada/1', devices: [] },
  ],
  broadcast: [
    (c) => c.broadcast({ payload: 'x' }, { app: 'other' }),
    'POST /v1/apps/other/broadcast',
    { payload: 'x' },
    { body: { messageId: 'm', devices: 0, results: {} } },
    { messageId: 'm', devices: 0, results: {} },
  ],
  'call, text': [
    (c) => c.callDevice('lamp', { method: 'on', payload: 'x', metadata: { k: 'v' }, deadlineMs: 500 }),
    'POST /v1/apps/demo/devices/lamp/call',
    { method: 'on', payload: 'x', metadata: { k: 'v' }, deadlineMs: 500 },
    { body: { status: 0, statusName: 'OK', metadata: {}, payload: 'ü' } },
    { status: 0, statusName: 'OK', metadata: {}, payload: Uint8Array.of(0xc3, 0xbc) },
  ],
  'call, bytes': [
    (c) => c.callDevice('lamp', { method: 'on', payload: Uint8Array.of(255) }),
    'POST /v1/apps/demo/devices/lamp/call',
    { method: 'on', payloadBase64: '/w==', deadlineMs: 10_000 },
    { body: { status: 14, statusName: 'UNAVAILABLE', metadata: { why: 'x' }, payloadBase64: 'AP8=' } },
    { status: 14, statusName: 'UNAVAILABLE', metadata: { why: 'x' }, payload: Uint8Array.of(0, 255) },
  ],
  'list groups': [
    (c) => c.listGroups({ after: 'a&b', limit: 5 }),
    'GET /v1/groups?after=a%26b&limit=5',
    undefined,
    { body: { groups: [], next: 'c' } },
    { groups: [], next: 'c' },
  ],
  'presence of a user': [
    (c) => c.presenceOfUser('ada'),
    'GET /v1/apps/demo/users/ada',
    undefined,
    { body: { user: 'ada', online: false, devices: [] } },
    { user: 'ada', online: false, devices: [] },
  ],
  'presence of users': [
    (c) => c.presenceOfUser(['ada']),
    'POST /v1/apps/demo/users/presence',
    { users: ['ada'] },
    { body: { users: [{ user: 'ada', online: false, devices: [] }] } },
    [{ user: 'ada', online: false, devices: [] }],
  ],
  'create, new': [
    (c) => c.createGroup('g'),
    'PUT /v1/groups/g',
    undefined,
    { status: 201, body: { group: 'g', created: true } },
    true,
  ],
  'create, known': [
    (c) => c.createGroup('g'),
    'PUT /v1/groups/g',
    undefined,
    { body: { group: 'g', created: false } },
    false,
  ],
  'dissolve, known': [(c) => c.dissolveGroup('g'), 'DELETE /v1/groups/g', undefined, { status: 204, body: '' }, true],
  'dissolve, unknown': [
    (c) => c.dissolveGroup('g'),
    'DELETE /v1/groups/g',
    undefined,
    { status: 404, body: { code: 'TRK_GROUP_NOT_FOUND' } },
    false,
  ],
  'group info': [
    (c) => c.groupInfo('g'),
    'GET /v1/groups/g',
    undefined,
    { body: { group: 'g', members: 3, createdAtMs: 5 } },
    { group: 'g', members: 3, createdAtMs: 5 },
  ],
  'group info, unknown': [
    (c) => c.groupInfo('g'),
    'GET /v1/groups/g',
    undefined,
    { status: 404, body: { code: 'TRK_GROUP_NOT_FOUND' } },
    undefined,
  ],
  join: [
    (c) => c.joinGroup('g', ['a']),
    'POST /v1/groups/g/join',
    { app: 'demo', devices: ['a'] },
    { body: { results: [{ device: 'a', result: 'joined' }] } },
    [{ device: 'a', result: 'joined' }],
  ],
  leave: [
    (c) => c.leaveGroup('g', ['a']),
    'POST /v1/groups/g/leave',
    { app: 'demo', devices: ['a'] },
    { body: { results: [{ device: 'a', result: 'left' }] } },
    [{ device: 'a', result: 'left' }],
  ],
  'presence of one': [
    (c) => c.presence('a'),
    'GET /v1/apps/demo/devices/a',
    undefined,
    { body: { device: 'a', online: false } },
    { device: 'a', online: false },
  ],
  'presence of many': [
    (c) => c.presence(['a']),
    'POST /v1/apps/demo/presence',
    { devices: ['a'] },
    { body: { devices: [{ device: 'a', online: false }] } },
    [{ device: 'a', online: false }],
  ],
  kick: [(c) => c.kick('a'), 'POST /v1/apps/demo/devices/a/kick', undefined, { body: { kicked: true } }, true],
  'close a connection': [
    (c) => c.closeConnection('a'),
    'DELETE /v1/apps/demo/devices/a/connection',
    undefined,
    { body: { disconnected: true } },
    true,
  ],
  token: [
    (c) => c.issueToken({ deviceId: 'd', uid: 'u', businesses: ['im'], groups: { im: ['*'] }, ttlMs: 1 }),
    'POST /v1/tokens',
    { app: 'demo', deviceId: 'd', uid: 'u', businesses: ['im'], groups: { im: ['*'] }, ttlMs: 1 },
    { body: { token: 't', expiresAtMs: 9, deviceId: 'd', jti: 'j' } },
    { token: 't', expiresAtMs: 9, deviceId: 'd', jti: 'j' },
  ],
  'revoke a device': [
    (c) => c.revoke({ deviceId: 'd', identity: true }),
    'POST /v1/revocations',
    { app: 'demo', deviceId: 'd', identity: true },
    { body: { closed: 1 } },
    1,
  ],
  'revoke what an app was issued': [
    (c) => c.revoke({ app: 'shop', beforeMs: 5 }),
    'POST /v1/revocations',
    { app: 'shop', beforeMs: 5 },
    { body: { closed: 7, untilMs: 9 } },
    7,
  ],
  'lift a revocation': [
    (c) => c.liftRevocation('a/b'),
    'DELETE /v1/apps/demo/devices/a%2Fb/revocation',
    undefined,
    { body: { lifted: true } },
    true,
  ],
};

for (const [name, [call, line, body, answer, result]] of Object.entries(cases)) {
  test(`back-end client: ${name}`, async (t) => {
    const { client, asked } = await startBridge(t, answer);
    t.deepEqual(await call(client), result);
    const type = body === undefined ? undefined : 'application/json';
    t.deepEqual(asked, [{ line, authorization: `Bearer ${'k'.repeat(16)}`, type, body }]);
  });
}

test('back-end client: a refusal carries the problem', async (t) => {
  const errors = [{ in: 'body', field: 'payload', detail: 'missing' }];
  const problem = { title: 'Too Many Requests', detail: 'full', status: 429, code: 'TRK_OVERLOADED', errors };
  const { client } = await startBridge(t, { status: 429, headers: { 'retry-after': '2' }, body: problem });
  const error = await t.throwsAsync(client.pushToDevice('d', { payload: '' }), { instanceOf: BridgeError });
  t.like(error, { code: 'TRK_OVERLOADED', status: 429, detail: 'full', retryAfterMs: 2_000, retryable: true });
  t.deepEqual((error as BridgeError).errors, errors);
});

test('back-end client: a 404 that is not about the group is no answer about it', async (t) => {
  const { client } = await startBridge(t, { status: 404, body: '<html>' });
  await t.throwsAsync(client.groupInfo('g'), { code: 'TRK_BRIDGE_REFUSED' });
  await t.throwsAsync(client.dissolveGroup('g'), { code: 'TRK_BRIDGE_REFUSED' });
});

test('back-end client: no answer, and an answer that is not JSON, are told apart from a refusal', async (t) => {
  const { client, server, url } = await startBridge(t, { body: '<html>' });
  await t.throwsAsync(client.kick('d'), { code: 'TRK_BRIDGE_UNREACHABLE' });
  server.closeAllConnections();
  server.close();
  const other = new BackEndClient({ url, key: 'k', app: 'demo' });
  await t.throwsAsync(other.kick('d'), { code: 'TRK_BRIDGE_UNREACHABLE' });
  await other.close();
});

test('back-end client: wrong options and names are named', async (t) => {
  const invalid = { code: 'TRK_INVALID_OPTION' };
  t.throws(() => new BackEndClient({ url: 'localhost', key: 'k' }), invalid);
  t.throws(() => new BackEndClient({ url: 'http://127.0.0.1', key: '' }), invalid);
  const client = new BackEndClient({ url: 'http://127.0.0.1:1', key: 'k' });
  await t.throwsAsync(client.kick('d'), invalid);
  await t.throwsAsync(client.kick('\ud800', { app: 'demo' }), { code: 'TRK_INVALID_ARGUMENT' });
  await t.throwsAsync(client.kick('', { app: 'demo' }), { code: 'TRK_INVALID_ARGUMENT' });
});

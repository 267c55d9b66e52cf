/** What a push has beside its payload, in a JSON body and in the headers of a raw one. */
import test from 'ava';
import { KEYS, startBridge } from '../support/bridge.js';

const UNICAST = '/v1/apps/demo/devices/alice/push';
const key = KEYS.im;
const raw = (headers: Record<string, string> = {}) => ({ 'content-type': 'application/octet-stream', ...headers });

test('options: time to live, priority and droppable reach the router, and are absent when they were not given', async (t) => {
  const { call, routing } = await startBridge(t);
  await routing.createGroup(1, 'g');
  const options = { ttlMs: 500, priority: 'high', droppable: true };
  for (const [path, more] of [
    [UNICAST, {}],
    ['/v1/apps/demo/push', { devices: ['a'] }],
    ['/v1/groups/g/push', {}],
    ['/v1/apps/demo/users/u/push', {}],
    ['/v1/apps/demo/broadcast', {}],
  ] as const) {
    routing.users.set('u', ['a']);
    t.is((await call('POST', path, { key, body: { payload: 'x', ...more, ...options } })).status, 200, path);
    t.like(routing.pushed.at(-1)?.message, options, path);
  }
  await call('POST', UNICAST, { key, body: { payload: 'x' } });
  t.deepEqual(Object.keys(routing.pushed.at(-1)?.message ?? {}), ['businessId', 'messageId', 'metadata', 'payload']);
});

for (const [field, value] of [
  ['ttlMs', -1],
  ['ttlMs', 1.5],
  ['ttlMs', 86_400_001],
  ['priority', 'urgent'],
  ['droppable', 'yes'],
] as const) {
  test(`options: ${field} ${value} is refused by name`, async (t) => {
    const { call } = await startBridge(t);
    const answer = await call('POST', UNICAST, { key, body: { payload: 'x', [field]: value } });
    t.is(answer.status, 400);
    t.is(answer.json.errors[0].field, field);
  });
}

test('options: a raw body is the payload, byte for byte, and its headers are the rest', async (t) => {
  const { call, routing } = await startBridge(t);
  const body = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const headers = raw({
    'trunkline-message-id': 'm-%C3%BC',
    'trunkline-ttl-ms': '500',
    'trunkline-priority': 'high',
    'trunkline-droppable': 'false',
    'trunkline-meta-kind': 'gr%C3%B6%C3%9Fe',
    'trunkline-meta-a': '',
  });
  const answer = await call('POST', UNICAST, { key, body, headers });
  t.is(answer.status, 200, answer.text);
  t.is(answer.json.messageId, 'm-ü');
  t.deepEqual(routing.pushed[0]?.message, {
    businessId: 1,
    messageId: 'm-ü',
    metadata: { kind: 'größe', a: '' },
    payload: body,
    ttlMs: 500,
    priority: 'high',
    droppable: false,
  });
  t.is((await call('POST', UNICAST, { key, body: new Uint8Array(0), headers: raw() })).status, 200);
  t.is(routing.pushed[1]?.message.payload.length, 0);
});

test('options: every route whose path names the target takes raw bodies, the others do not', async (t) => {
  const { call, routing } = await startBridge(t);
  await routing.createGroup(1, 'g');
  const send = (path: string) => call('POST', path, { key, body: Buffer.from('x'), headers: raw() });
  for (const path of [UNICAST, '/v1/groups/g/push', '/v1/apps/demo/users/u/push', '/v1/apps/demo/broadcast']) {
    t.is((await send(path)).status, 200, path);
  }
  t.is((await send('/v1/apps/demo/push')).status, 400);
  for (const path of ['/v1/groups/g/join', '/v1/apps/demo/presence', '/v1/push/bulk']) {
    const answer = await send(path);
    t.is(answer.status, 415, path);
    t.is(answer.json.code, 'TRK_UNSUPPORTED_MEDIA_TYPE');
  }
});

for (const [header, value] of [
  ['trunkline-ttl-ms', '5s'],
  ['trunkline-ttl-ms', '99999999999'],
  ['trunkline-priority', 'urgent'],
  ['trunkline-droppable', '1'],
  ['trunkline-message-id', '%ff'],
  ['trunkline-message-id', 'x'.repeat(129)],
  ['trunkline-meta-k', 'x'.repeat(4_097)],
] as const) {
  test(`options: ${header} ${value.slice(0, 12)} on a raw body is refused by name`, async (t) => {
    const { call, routing } = await startBridge(t);
    const answer = await call('POST', UNICAST, { key, body: Buffer.from('x'), headers: raw({ [header]: value }) });
    t.is(answer.status, 400);
    t.is(answer.json.code, 'TRK_INVALID_REQUEST');
    t.deepEqual([answer.json.errors[0].in, answer.json.errors[0].field], ['header', header]);
    t.is(routing.pushed.length, 0);
  });
}

test('options: a raw body larger than a frame is refused before it is read', async (t) => {
  const { call } = await startBridge(t, { frameBytes: 4_096 });
  const answer = await call('POST', UNICAST, { key, body: Buffer.alloc(4_097), headers: raw() });
  t.is(answer.json.code, 'TRK_BODY_TOO_LARGE');
  const tight = await call('POST', UNICAST, { key, body: Buffer.alloc(4_096), headers: raw() });
  t.is(tight.json.code, 'TRK_PAYLOAD_TOO_LARGE');
});

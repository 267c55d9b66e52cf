import test from 'ava';
import { OverloadedError } from '../../actors/index.js';
import { KEYS, startBridge } from '../support/bridge.js';

const UNICAST = '/v1/apps/demo/devices/alice/push';

test('push: a unicast reaches the router as bytes and answers what became of it', async (t) => {
  const { call, routing } = await startBridge(t);
  routing.outcomes.set('alice', { result: 'delivered' });
  const body = { payload: 'grüße', messageId: 'm-1', metadata: { kind: 'chat' } };
  const answer = await call('POST', UNICAST, { key: KEYS.im, body });
  t.is(answer.status, 200);
  t.deepEqual(answer.json, { messageId: 'm-1', result: 'delivered' });
  const [sent] = routing.pushed;
  t.deepEqual(sent?.devices, [{ app: 'demo', deviceId: 'alice' }]);
  t.deepEqual(sent?.message, {
    businessId: 1,
    messageId: 'm-1',
    metadata: { kind: 'chat' },
    payload: Buffer.from('grüße'),
  });
});

test('push: base64 carries any bytes', async (t) => {
  const { call, routing } = await startBridge(t);
  const bytes = Buffer.from([0, 255, 254, 1]);
  await call('POST', UNICAST, { key: KEYS.im, body: { payloadBase64: bytes.toString('base64') } });
  t.deepEqual(routing.pushed[0]?.message.payload, bytes);
});

test('push: an empty payload is a message too', async (t) => {
  const { call, routing } = await startBridge(t);
  t.is((await call('POST', UNICAST, { key: KEYS.im, body: { payload: '' } })).status, 200);
  t.is((await call('POST', UNICAST, { key: KEYS.im, body: { payloadBase64: '' } })).status, 200);
  t.deepEqual(
    routing.pushed.map(({ message }) => message.payload.length),
    [0, 0],
  );
});

test('push: the reason stands beside dropped and nowhere else', async (t) => {
  const { call, routing } = await startBridge(t);
  routing.outcomes.set('slow', { result: 'dropped', reason: 'slow' }).set('lost', { result: 'unknown' });
  const body = { devices: ['slow', 'lost', 'away'], payload: 'x', messageId: 'm' };
  const { json } = await call('POST', '/v1/apps/demo/push', { key: KEYS.im, body });
  t.deepEqual(json, {
    messageId: 'm',
    results: [
      { device: 'slow', result: 'dropped', reason: 'slow' },
      { device: 'lost', result: 'unknown' },
      { device: 'away', result: 'offline' },
    ],
  });
});

test('push: a batch of a thousand keeps its order, one of a thousand and one is refused', async (t) => {
  const { call, routing } = await startBridge(t);
  const devices = Array.from({ length: 1000 }, (_, i) => `d-${i}`);
  const answer = await call('POST', '/v1/apps/demo/push', { key: KEYS.im, body: { devices, payload: 'x' } });
  t.deepEqual(
    answer.json.results.map((each: { device: string }) => each.device),
    devices,
  );
  const body = { devices: [...devices, 'one-more'], payload: 'x' };
  const refused = await call('POST', '/v1/apps/demo/push', { key: KEYS.im, body });
  t.is(refused.status, 400);
  t.is(refused.json.errors[0].field, 'devices');
  t.is(routing.pushed.length, 1);
});

test('push: ids that the bridge makes are short and never repeat', async (t) => {
  const { call } = await startBridge(t);
  const ids = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const { json } = await call('POST', UNICAST, { key: KEYS.im, body: { payload: 'x' } });
    t.true(json.messageId.length <= 16);
    ids.add(json.messageId);
  }
  t.is(ids.size, 50);
});

test('push: a multicast answers offset and members; names take any UTF-8', async (t) => {
  const { call, routing } = await startBridge(t);
  const group = 'Räume/東京 1';
  await routing.createGroup(1, group);
  await routing.createGroup(1, 'other');
  routing.online.set('alice', { online: true, connectionId: 'c', sinceMs: 1 });
  await routing.joinGroup(1, group, [{ app: 'demo', deviceId: 'alice' }]);
  const path = `/v1/groups/${encodeURIComponent(group)}/push`;
  const answer = await call('POST', path, { key: KEYS.im, body: { payload: 'x', messageId: 'm' } });
  t.is(answer.status, 200);
  t.deepEqual(answer.json, { messageId: 'm', offset: 1, members: 1, unanswered: 0 });
});

test('push: a group of another business is not there, whatever its name', async (t) => {
  const { call, routing } = await startBridge(t);
  await routing.createGroup(1, 'room');
  const answer = await call('POST', '/v1/groups/room/push', { key: KEYS.live, body: { payload: 'x' } });
  t.is(answer.status, 404);
  t.is(answer.json.code, 'TRK_GROUP_NOT_FOUND');
});

test('push: overload is 429 with Retry-After, for devices and groups alike', async (t) => {
  const { call, routing } = await startBridge(t);
  routing.failure = new OverloadedError(50_000, 50_000);
  for (const [path, devices] of [
    [UNICAST, undefined],
    ['/v1/apps/demo/push', ['a']],
    ['/v1/groups/g/push', undefined],
  ] as const) {
    const body = { payload: 'x', ...(devices === undefined ? {} : { devices }) };
    const answer = await call('POST', path, { key: KEYS.im, body });
    t.is(answer.status, 429, path);
    t.is(answer.json.code, 'TRK_OVERLOADED');
    t.is(answer.headers['retry-after'], '1');
  }
});

test('push: what nobody foresaw is 500 and keeps its message to the log', async (t) => {
  const { call, routing, logs } = await startBridge(t);
  routing.failure = new Error('database password is hunter2');
  const answer = await call('POST', UNICAST, { key: KEYS.im, body: { payload: 'x' } });
  t.is(answer.status, 500);
  t.is(answer.json.code, 'TRK_INTERNAL');
  t.false(answer.text.includes('hunter2'));
  t.true(logs.text().includes('hunter2'));
});

test('push: a message must fit the frame that devices were told, to the byte', async (t) => {
  const limit = 4096;
  const { call } = await startBridge(t, { frameBytes: limit });
  // business id 1, flags 1, message id 1 + 1, count of metadata 1
  const room = limit - 5;
  const send = (bytes: number, more = {}) =>
    call('POST', UNICAST, { key: KEYS.im, body: { payload: 'x'.repeat(bytes), messageId: 'm', ...more } });
  t.is((await send(room)).status, 200);
  const refused = await send(room + 1);
  t.is(refused.status, 413);
  t.is(refused.json.code, 'TRK_PAYLOAD_TOO_LARGE');
  t.regex(refused.json.detail, /4097 bytes, the limit is 4096/);
  t.is((await send(room - 4, { metadata: { k: 'v' } })).status, 200);
  t.is((await send(room - 3, { metadata: { k: 'v' } })).status, 413);
});

const badBodies: [title: string, body: unknown, field: string][] = [
  ['no payload', {}, 'payload'],
  ['two payloads', { payload: 'x', payloadBase64: '' }, 'payload'],
  ['a number as payload', { payload: 1 }, 'payload'],
  ['base64 with a stranger in it', { payloadBase64: 'A-B_' }, 'payloadBase64'],
  ['base64 without its padding', { payloadBase64: 'AAA' }, 'payloadBase64'],
  ['a lone surrogate', '{"payload":"\\ud800"}', 'payload'],
  ['an unknown field', { payload: 'x', ttl: 1 }, ''],
  ['an empty message id', { payload: 'x', messageId: '' }, 'messageId'],
  ['a message id of 129 bytes in 65 characters', { payload: 'x', messageId: `${'é'.repeat(64)}x` }, 'messageId'],
  ['metadata that are no strings', { payload: 'x', metadata: { a: 1 } }, 'metadata.a'],
  [
    'a metadata key of 129 bytes',
    { payload: 'x', metadata: { ['k'.repeat(129)]: 'v' } },
    `metadata.${'k'.repeat(129)}`,
  ],
  ['a metadata value of 4097 bytes', { payload: 'x', metadata: { k: 'v'.repeat(4097) } }, 'metadata.k'],
  [
    '65 metadata',
    { payload: 'x', metadata: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ''])) },
    'metadata',
  ],
  ['a list', [], ''],
  ['null', 'null', ''],
  ['a string', '"x"', ''],
];

for (const [title, body, field] of badBodies) {
  test(`push: ${title} is refused with the field's name`, async (t) => {
    const { call, routing } = await startBridge(t);
    const answer = await call('POST', UNICAST, { key: KEYS.im, body });
    t.is(answer.status, 400);
    t.is(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
    t.is(answer.json.code, 'TRK_INVALID_REQUEST');
    t.true(
      answer.json.errors.some((each: { in: string; field: string }) => each.in === 'body' && each.field === field),
      JSON.stringify(answer.json.errors),
    );
    t.is(routing.pushed.length, 0);
  });
}

test('push: 64 metadata with keys and values at their limits are taken', async (t) => {
  const { call } = await startBridge(t, { frameBytes: 512 * 1024 });
  const metadata = Object.fromEntries(
    Array.from({ length: 64 }, (_, i) => [String(i).padEnd(128, 'k'), 'v'.repeat(4096)]),
  );
  t.is((await call('POST', UNICAST, { key: KEYS.im, body: { payload: 'x', metadata } })).status, 200);
});

test('push: device ids are bounded in bytes, in the path and in the body', async (t) => {
  const { call } = await startBridge(t);
  const push = (device: string) =>
    call('POST', `/v1/apps/demo/devices/${encodeURIComponent(device)}/push`, { key: KEYS.im, body: { payload: 'x' } });
  t.is((await push('é'.repeat(32))).status, 200);
  const refused = await push(`${'é'.repeat(32)}x`);
  t.is(refused.status, 400);
  t.deepEqual([refused.json.errors[0].in, refused.json.errors[0].field], ['path', 'device']);
  const body = { devices: ['ok', 'x'.repeat(65)], payload: 'x' };
  const batch = await call('POST', '/v1/apps/demo/push', { key: KEYS.im, body });
  t.deepEqual(
    batch.json.errors.map((each: { field: string }) => each.field),
    ['devices[1]'],
  );
});

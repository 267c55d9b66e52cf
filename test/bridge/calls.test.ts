import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { OverloadedError } from '../../actors/index.js';
import { KEYS, startBridge } from '../support/bridge.js';
import { until } from '../support/until.js';

const CALL = '/v1/apps/demo/devices/lamp/call';
const key = KEYS.im;

async function startWithLamp(t: Parameters<typeof startBridge>[0]) {
  const bridge = await startBridge(t);
  bridge.routing.online.set('lamp', { online: true, connectionId: 'c', sinceMs: 1 });
  return bridge;
}

test('calls: a device is asked what the body says, and its answer comes back', async (t) => {
  const { call, routing } = await startWithLamp(t);
  routing.reply = async () => ({ status: 5, metadata: { why: 'no bulb' }, payload: Buffer.from('grüße') });
  const body = { method: 'lamp.on', payload: '{"level":3}', metadata: { trace: '1' }, deadlineMs: 2_000 };
  const answer = await call('POST', CALL, { key, body });
  t.is(answer.status, 200);
  t.deepEqual(answer.json, { status: 5, statusName: 'NOT_FOUND', metadata: { why: 'no bulb' }, payload: 'grüße' });
  const [asked] = routing.called;
  t.deepEqual(asked?.device, { app: 'demo', deviceId: 'lamp' });
  t.like(asked?.call, { businessId: 1, method: 'lamp.on', metadata: { trace: '1' }, deadlineMs: 2_000 });
  t.deepEqual(asked?.call.payload, Buffer.from('{"level":3}'));
});

test('calls: bytes that are no text come as base64, and an unknown status is named so', async (t) => {
  const { call, routing } = await startWithLamp(t);
  routing.reply = async ({ payload }) => ({ status: 99, metadata: {}, payload });
  const body = { method: 'echo', payloadBase64: Buffer.from([0, 255]).toString('base64') };
  t.deepEqual((await call('POST', CALL, { key, body })).json, {
    status: 99,
    statusName: 'UNKNOWN',
    metadata: {},
    payloadBase64: 'AP8=',
  });
});

test('calls: payload and deadline may be left out; a device that is away is a status', async (t) => {
  const { call, routing } = await startWithLamp(t);
  t.deepEqual((await call('POST', CALL, { key, body: { method: 'm' } })).json, {
    status: 0,
    statusName: 'OK',
    metadata: {},
    payload: '',
  });
  t.is(routing.called[0]?.call.deadlineMs, 10_000);
  const away = await call('POST', '/v1/apps/demo/devices/away/call', { key, body: { method: 'm' } });
  t.is(away.status, 200);
  t.like(away.json, { status: 14, statusName: 'UNAVAILABLE', metadata: { 'trunkline-reason': 'offline' } });
});

for (const [title, body, field] of [
  ['no method', {}, 'method'],
  ['an empty method', { method: '' }, 'method'],
  ['a method of 129 bytes', { method: 'x'.repeat(129) }, 'method'],
  ['two payloads', { method: 'm', payload: '', payloadBase64: '' }, 'payload'],
  ['a deadline beyond a minute', { method: 'm', deadlineMs: 60_001 }, 'deadlineMs'],
  ['no time at all', { method: 'm', deadlineMs: 0 }, 'deadlineMs'],
  ['an unknown field', { method: 'm', ttlMs: 5 }, ''],
] as const) {
  test(`calls: ${title} is refused by name`, async (t) => {
    const { call, routing } = await startWithLamp(t);
    const answer = await call('POST', CALL, { key, body });
    t.is(answer.status, 400);
    t.is(answer.json.errors[0].field, field);
    t.is(routing.called.length, 0);
  });
}

test('calls: what does not fit a frame is refused, overload is 429', async (t) => {
  const { call, routing } = await startWithLamp(t);
  const large = await call('POST', CALL, { key, body: { method: 'm', payload: 'x'.repeat(64 * 1024) } });
  t.is(large.json.code, 'TRK_PAYLOAD_TOO_LARGE');
  routing.failure = new OverloadedError(1, 1);
  const answer = await call('POST', CALL, { key, body: { method: 'm' } });
  t.deepEqual([answer.status, answer.json.code, answer.headers['retry-after']], [429, 'TRK_OVERLOADED', '1']);
});

test('calls: a caller that closes its connection cancels the call, one that was answered does not', async (t) => {
  const { call, routing, address } = await startWithLamp(t);
  await call('POST', CALL, { key, body: { method: 'm' } });
  routing.reply = () => new Promise(() => {});
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  const body = JSON.stringify({ method: 'm' });
  const head = `POST ${CALL} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json`;
  socket.write(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await until(() => routing.called.length === 2);
  t.false(routing.called[1]?.call.signal?.aborted);
  socket.destroy();
  await once(socket, 'close');
  await until(() => routing.called[1]?.call.signal?.aborted === true);
  t.pass();
});

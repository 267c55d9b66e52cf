import test from 'ava';
import { KEYS, startBridge } from '../support/bridge.js';
import { exchangeRaw } from '../support/http-client.js';

const UNICAST = '/v1/apps/demo/devices/alice/push';

function* endlessBody(key: string): Generator<string> {
  yield `POST ${UNICAST} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`;
  yield 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = 'x'.repeat(64 * 1024);
  for (;;) yield `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
}

test('hostile: ten megabytes of JSON are refused, and the connection stays of use', async (t) => {
  const { call } = await startBridge(t);
  const answer = await call('POST', UNICAST, { key: KEYS.im, body: { payload: 'x'.repeat(10 * 1024 * 1024) } });
  t.is(answer.status, 413);
  t.is(answer.json.code, 'TRK_BODY_TOO_LARGE');
  t.is((await call('POST', UNICAST, { key: KEYS.im, body: { payload: 'x' } })).status, 200);
});

test('hostile: a body without end is refused and then cut off', async (t) => {
  const { address, call } = await startBridge(t);
  const received = await exchangeRaw(address, endlessBody(KEYS.im));
  // The answer is written before the cut; a reset may overtake it on the way.
  t.regex(received, /^$|^HTTP\/1\.1 413 .*TRK_BODY_TOO_LARGE/s);
  t.is((await call('GET', '/healthz')).status, 200);
});

test('hostile: a stranger with a body without end is cut off too', async (t) => {
  const { address } = await startBridge(t);
  const received = await exchangeRaw(address, endlessBody('nobody-has-this-key'));
  t.regex(received, /^$|^HTTP\/1\.1 401 .*TRK_UNAUTHENTICATED/s);
});

test('hostile: a flood of headers is refused', async (t) => {
  const { address } = await startBridge(t);
  const large = await exchangeRaw(address, [`GET /healthz HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(64 * 1024)}\r\n\r\n`]);
  t.regex(large, /^HTTP\/1\.1 431 .*TRK_HEADERS_TOO_LARGE/s);
  const many = Array.from({ length: 5_000 }, (_, i) => `h${i}: v\r\n`).join('');
  const flood = await exchangeRaw(address, [`GET /healthz HTTP/1.1\r\nHost: x\r\n${many}\r\n`]);
  t.regex(flood, /^HTTP\/1\.1 431 .*TRK_HEADERS_TOO_LARGE/s);
});

test('hostile: bytes that are no HTTP are refused', async (t) => {
  const { address } = await startBridge(t);
  t.regex(await exchangeRaw(address, ['TRK\x00\x01\r\n\r\n']), /^HTTP\/1\.1 400 .*TRK_INVALID_REQUEST/s);
});

const badPaths = ['%zz', '%', '%ff', '%c3%28', '%ed%a0%80'];
for (const path of badPaths) {
  test(`hostile: ${path} in a path is no percent-encoded UTF-8`, async (t) => {
    const { call } = await startBridge(t);
    const answer = await call('PUT', `/v1/groups/${path}`, { key: KEYS.im });
    t.is(answer.status, 400);
    t.is(answer.json.code, 'TRK_INVALID_URL');
  });
}

const badJson = [
  '{"payload":',
  '{"payload":"x"} x',
  '{"__proto__":{"payload":"x"}}',
  "{'payload':'x'}",
  '\ufeff{"payload":"x"',
];
for (const body of badJson) {
  test(`hostile: ${JSON.stringify(body)} is no JSON for us`, async (t) => {
    const { call } = await startBridge(t);
    const answer = await call('POST', UNICAST, { key: KEYS.im, body });
    t.is(answer.status, 400);
    t.is(answer.json.code, 'TRK_INVALID_JSON');
  });
}

test('hostile: prototypes cannot be reached through metadata', async (t) => {
  const { call, routing } = await startBridge(t);
  const body = '{"payload":"x","metadata":{"constructor":"a","toString":"b"}}';
  t.is((await call('POST', UNICAST, { key: KEYS.im, body })).status, 200);
  t.deepEqual(Object.entries(routing.pushed[0]?.message.metadata ?? {}), [
    ['constructor', 'a'],
    ['toString', 'b'],
  ]);
  t.is(typeof {}.toString, 'function');
});

test('hostile: other media types are refused', async (t) => {
  const { call } = await startBridge(t);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense']) {
    const headers = { 'content-type': type };
    const answer = await call('POST', UNICAST, { key: KEYS.im, body: '{"payload":"x"}', headers });
    t.is(answer.status, 415, type);
    t.is(answer.json.code, 'TRK_UNSUPPORTED_MEDIA_TYPE');
  }
});

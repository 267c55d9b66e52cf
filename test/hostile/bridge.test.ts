/** The private listener under hostile back-ends: wrong keys, wrong bodies, too much of everything. */
import { connect } from 'node:net';
import test from 'ava';
import { attack } from '../support/attack.js';
import { exchangeRaw } from '../support/http-client.js';
import { shareInspectedNode } from '../support/share-inspected-node.js';
import { TEST_KEYS } from '../support/test-config.js';

const shared = shareInspectedNode();

const MIB = 1024 * 1024;
const PUSH = '/v1/apps/demo/devices/nobody/push';

test.serial('hostile bridge: a wrong key is 401 wherever it is tried', async (t) => {
  const node = shared();
  const tries: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ['POST', PUSH, { payload: '' }],
    ['POST', '/v1/apps/demo/push', { payload: '', devices: ['a'] }],
    ['POST', '/v1/groups/room-1/push', { payload: '' }],
    ['PUT', '/v1/groups/room-1'],
    ['GET', '/v1/apps/demo/devices/a'],
    ['DELETE', '/v1/apps/demo/devices/a/connection'],
    ['POST', '/v1/apps/demo/devices/a/call', { method: 'x', payload: '' }],
    ['POST', '/v1/apps/demo/users/ada/push', { payload: '' }],
    ['POST', '/v1/apps/demo/broadcast', { payload: '' }],
    ['GET', '/v1/groups'],
    ['POST', '/v1/tokens', { app: 'demo', deviceId: 'a' }],
  ];
  await attack(t, node, async () => {
    for (const key of ['', 'wrong', `${TEST_KEYS.im}x`, TEST_KEYS.im.slice(0, -1), 'x'.repeat(10_000)]) {
      for (const [method, path, body] of tries) {
        const { status, json } = await node.call(method, path, { key, ...(body === undefined ? {} : { body }) });
        t.deepEqual([status, json.code], [401, 'TRK_UNAUTHENTICATED'], `${method} ${path}`);
      }
    }
    // Another kind of key, on either side.
    t.is((await node.call('POST', PUSH, { key: TEST_KEYS.app, body: { payload: '' } })).status, 401);
    const issued = await node.call('POST', '/v1/tokens', { key: TEST_KEYS.im, body: { app: 'demo', deviceId: 'a' } });
    t.is(issued.status, 401);
  });
});

test.serial('hostile bridge: a thousand wrong keys at once keep nobody else waiting', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => node.call('POST', PUSH, { key: `guess-${i}`, body: { payload: '' } })),
    );
    t.true(answers.every(({ status }) => status === 401));
  });
});

test.serial('hostile bridge: a body that is not what it must be is 400 with its field', async (t) => {
  const node = shared();
  const key = TEST_KEYS.im;
  const fields: readonly (readonly [body: unknown, code: string])[] = [
    ['{', 'TRK_INVALID_JSON'],
    ['\u0000\u0001', 'TRK_INVALID_JSON'],
    ['{"__proto__":{"payload":"x"}}', 'TRK_INVALID_JSON'],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'TRK_INVALID_REQUEST'],
    [[], 'TRK_INVALID_REQUEST'],
    [{}, 'TRK_INVALID_REQUEST'],
    [{ payload: 7 }, 'TRK_INVALID_REQUEST'],
    [{ payload: 'x', unknown: true }, 'TRK_INVALID_REQUEST'],
    [{ payload: 'x', payloadBase64: 'eA==' }, 'TRK_INVALID_REQUEST'],
    [{ payloadBase64: '***' }, 'TRK_INVALID_REQUEST'],
    [{ payload: 'x', metadata: { a: 1 } }, 'TRK_INVALID_REQUEST'],
    [{ payload: 'x', messageId: 'x'.repeat(129) }, 'TRK_INVALID_REQUEST'],
  ];
  await attack(t, node, async () => {
    for (const [body, code] of fields) {
      const { status, json } = await node.call('POST', PUSH, { key, body });
      t.deepEqual([status, json.code], [400, code], JSON.stringify(body).slice(0, 60));
    }
  });
});

test.serial('hostile bridge: ten megabytes of JSON are 413, many at once too', async (t) => {
  const node = shared();
  const body = JSON.stringify({ payload: 'x'.repeat(10 * MIB) });
  await attack(t, node, async () => {
    const alone = await node.call('POST', PUSH, { key: TEST_KEYS.im, body });
    t.deepEqual([alone.status, alone.json.code], [413, 'TRK_BODY_TOO_LARGE']);
    const answers = await Promise.allSettled(
      Array.from({ length: 16 }, () => node.call('POST', PUSH, { key: TEST_KEYS.im, body })),
    );
    // Who takes more than two seconds to send what nobody wants is cut off, and a reset may overtake the answer.
    for (const answer of answers) {
      if (answer.status === 'fulfilled') t.is(answer.value.json.code, 'TRK_BODY_TOO_LARGE');
      else t.regex(String(answer.reason.code), /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/);
    }
  });
});

function* endlessBody(key: string): Generator<string> {
  yield `POST ${PUSH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`;
  yield 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = 'x'.repeat(64 * 1024);
  for (;;) yield `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
}

test.serial('hostile bridge: chunked bodies without end are refused and cut off', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    const keys = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? TEST_KEYS.im : 'nobody'));
    const received = await Promise.all(keys.map((key) => exchangeRaw(node.bridge, endlessBody(key))));
    // A reset may overtake the answer on its way.
    for (const text of received) t.regex(text, /^$|^HTTP\/1\.1 4(01|13) /);
  });
});

test.serial('hostile bridge: requests that are begun and not finished hold nothing up', async (t) => {
  const node = shared();
  const [host = '', port] = node.bridge.split(':');
  await attack(t, node, async () => {
    const begun = `POST ${PUSH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TEST_KEYS.im}\r\nContent-Length: 1000\r\n`;
    const sockets = Array.from({ length: 200 }, (_, i) => {
      const socket = connect({ host, port: Number(port) }).on('error', () => {});
      socket.write(i % 2 === 0 ? begun : `${begun}Content-Type: application/json\r\n\r\n{"payload":"`);
      return socket;
    });
    const { status } = await node.call('GET', '/healthz');
    t.is(status, 200);
    for (const socket of sockets) socket.destroy();
  });
});

test.serial('hostile bridge: headers without end are 431, and what is no HTTP is 400', async (t) => {
  const node = shared();
  function* endlessHeaders(): Generator<string> {
    yield 'GET /healthz HTTP/1.1\r\nHost: x\r\n';
    for (let i = 0; i < 100_000; i++) yield `h${i}: ${'v'.repeat(100)}\r\n`;
  }
  await attack(t, node, async () => {
    t.regex(await exchangeRaw(node.bridge, endlessHeaders()), /^$|^HTTP\/1\.1 431 /);
    for (const bytes of ['TRK\u0000\u0001\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', '\u0016\u0003\u0001\u0002\u0000\u0001']) {
      t.regex(await exchangeRaw(node.bridge, [bytes]), /^HTTP\/1\.1 4\d\d /);
    }
    const smuggled = [
      `POST ${PUSH} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
    ];
    t.regex(await exchangeRaw(node.bridge, smuggled), /^HTTP\/1\.1 400 /);
  });
});

import type { ServerResponse } from 'node:http';
import test from 'ava';
import type { Status } from '../../protocol/index.js';
import { type OutcomeKind, REASON_KEY } from '../../upstream/index.js';
import { parseStatus, statusOfHttp } from '../../upstream/status-mapping.js';
import { callOf, clientOf, startBackEnd, startTcpServer } from './real-back-end.js';

const MAPPING: readonly (readonly [httpStatus: number, status: Status])[] = [
  [200, 0],
  [201, 0],
  [202, 0],
  [204, 0],
  [299, 0],
  [400, 3],
  [401, 16],
  [403, 7],
  [404, 5],
  [409, 10],
  [412, 9],
  [413, 3],
  [418, 3],
  [422, 3],
  [429, 8],
  [431, 3],
  [499, 1],
  [500, 13],
  [501, 12],
  [502, 13],
  [503, 14],
  [504, 4],
  [599, 13],
];

test('answers: every HTTP status of the table becomes its status, and the body travels with it', async (t) => {
  const backEnd = await startBackEnd(t, ({ body }, response) => {
    response.statusCode = Number(body.toString());
    response.end(response.statusCode === 204 ? '' : `body of ${response.statusCode}`);
  });
  const client = clientOf(t, backEnd.url);
  for (const [httpStatus, status] of MAPPING) {
    const reply = await client.request(callOf({ payload: Buffer.from(String(httpStatus)) }));
    t.is(reply.status, status, String(httpStatus));
    t.is(Buffer.from(reply.payload).toString(), httpStatus === 204 ? '' : `body of ${httpStatus}`);
    t.deepEqual({ ...reply.metadata }, {});
  }
  t.true(client.outcomes.every(({ kind, latencyMs }) => kind === 'answered' && latencyMs >= 0));
  t.deepEqual(
    client.outcomes.map(({ status }) => status),
    MAPPING.map(([, status]) => status),
  );
});

test('answers: an HTTP status beyond the ranges is the fault of the back-end', (t) => {
  t.is(statusOfHttp(600), 13);
  t.is(statusOfHttp(999), 13);
});

test('answers: trunkline-status overrules the HTTP status', async (t) => {
  const backEnd = await startBackEnd(t, ({ body }, response) => {
    const [httpStatus, explicit] = body.toString().split(' ');
    response.writeHead(Number(httpStatus), { 'trunkline-status': explicit }).end('why');
  });
  const client = clientOf(t, backEnd.url);
  for (const [sent, status] of [
    ['200 11', 11],
    ['200 0', 0],
    ['404 0', 0],
    ['500 16', 16],
  ] as const) {
    const reply = await client.request(callOf({ payload: Buffer.from(sent) }));
    t.is(reply.status, status, sent);
    t.is(Buffer.from(reply.payload).toString(), 'why');
  }
  for (const sent of ['200 17', '200 -1', '200 OK', '200 00', '200 1.5']) {
    const reply = await client.request(callOf({ payload: Buffer.from(sent) }));
    t.is(reply.status, 13, sent);
    t.is(reply.metadata[REASON_KEY], 'trunkline-status is no status');
  }
  t.is(parseStatus(''), undefined);
  t.is(parseStatus('10'), 10);
});

test('answers: content type and metadata come back decoded, and nothing else', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => {
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.setHeader('Trunkline-Meta-Greeting', 'caf%C3%A9%20%F0%9F%98%80');
    response.setHeader('trunkline-meta-constructor', 'data');
    response.setHeader('trunkline-meta-list', ['a', 'b%2C']);
    response.setHeader('set-cookie', 'session=1');
    response.setHeader('x-internal', 'no');
    response.setHeader('trunkline-status', '0');
    response.setHeader('ce-id', 'no');
    response.end('{}');
  });
  const reply = await clientOf(t, backEnd.url).request(callOf());
  t.deepEqual(
    { ...reply.metadata },
    {
      'content-type': 'application/json; charset=utf-8',
      greeting: 'café 😀',
      constructor: 'data',
      list: 'a, b,',
    },
  );
  t.is(reply.status, 0);
});

const hostile = test.macro(async (t, answer: (response: ServerResponse) => void, reason: string) => {
  const backEnd = await startBackEnd(t, (_request, response) => {
    answer(response);
    response.end('secret');
  });
  const client = clientOf(t, backEnd.url);
  const reply = await client.request(callOf());
  t.is(reply.status, 13);
  t.deepEqual(reply.metadata, { [REASON_KEY]: reason });
  t.is(reply.payload.length, 0);
  t.is(client.outcomes[0]?.kind, 'bad-answer');
});

const meta = (key: string, value: string) => (response: ServerResponse) =>
  void response.setHeader(`trunkline-meta-${key}`, value);
const KEY_REASON = 'a metadata key is not 1 to 64 of a-z, 0-9 and -';
const VALUE_REASON = 'a metadata value is not percent-encoded UTF-8';

test('answers: a metadata key of __proto__ is refused', hostile, meta('__proto__', 'x'), KEY_REASON);
test(
  'answers: a metadata key of content-type beside one is refused',
  hostile,
  (response: ServerResponse) => {
    response.setHeader('content-type', 'text/plain');
    response.setHeader('trunkline-meta-content-type', 'text/html');
  },
  KEY_REASON,
);
test('answers: a metadata key of 65 characters is refused', hostile, meta('k'.repeat(65), 'x'), KEY_REASON);
test('answers: an empty metadata key is refused', hostile, meta('', 'x'), KEY_REASON);
test('answers: a bare percent sign in a value is refused', hostile, meta('a', '100%'), VALUE_REASON);
test('answers: an escape that is not UTF-8 is refused', hostile, meta('a', '%C0%A0'), VALUE_REASON);
test('answers: a byte outside ASCII is refused', hostile, meta('a', 'caf\u00e9'), VALUE_REASON);
test(
  'answers: a value over the map limit is refused',
  hostile,
  meta('a', 'x'.repeat(4097)),
  'the metadata is too large',
);
test(
  'answers: more than 64 entries are refused',
  hostile,
  (response: ServerResponse) => {
    for (let i = 0; i < 65; i++) response.setHeader(`trunkline-meta-k${i}`, 'v');
  },
  'the metadata is too large',
);
test(
  'answers: a content type outside ASCII is refused',
  hostile,
  (response: ServerResponse) => {
    response.setHeader('content-type', 'text/caf\u00e9');
  },
  'content-type is no media type',
);
test(
  'answers: a compressed body is refused',
  hostile,
  (response: ServerResponse) => {
    response.setHeader('content-encoding', 'gzip');
  },
  'the answer is compressed',
);
test(
  'answers: a header section above 16 KiB is refused',
  hostile,
  (response: ServerResponse) => {
    for (let i = 0; i < 20; i++) response.setHeader(`x-${i}`, 'x'.repeat(1000));
  },
  'the answer is not in its form',
);

test('answers: redirects are refused and not followed', async (t) => {
  const backEnd = await startBackEnd(t, ({ body }, response) => {
    response.writeHead(Number(body.toString()), { location: '/elsewhere', 'trunkline-status': '0' }).end();
  });
  const client = clientOf(t, backEnd.url);
  for (const httpStatus of ['301', '302', '303', '304', '307', '308']) {
    const reply = await client.request(callOf({ payload: Buffer.from(httpStatus) }));
    t.is(reply.status, 13, httpStatus);
    t.is(reply.metadata[REASON_KEY], 'the back-end redirects');
  }
  t.is(backEnd.received.length, 6);
});

test('answers: an interim answer is not the answer', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.writeProcessing();
    response.end('final');
  });
  const reply = await clientOf(t, backEnd.url).request(callOf());
  t.is(reply.status, 0);
  t.is(Buffer.from(reply.payload).toString(), 'final');
});

test('answers: a body of exactly the limit passes, in many chunks too; one byte more does not', async (t) => {
  const backEnd = await startBackEnd(t, ({ body }, response) => {
    const size = Number(body.toString());
    for (let sent = 0; sent < size; sent += 1_000) response.write(Buffer.alloc(Math.min(1_000, size - sent), 'x'));
    response.end();
  });
  const client = clientOf(t, backEnd.url, { maxResponseBytes: 100_000 });
  const whole = await client.request(callOf({ payload: Buffer.from('100000') }));
  t.is(whole.status, 0);
  t.deepEqual(Buffer.from(whole.payload), Buffer.alloc(100_000, 'x'));
  const over = await client.request(callOf({ payload: Buffer.from('100001') }));
  t.is(over.status, 13);
  t.is(over.metadata[REASON_KEY], 'the answer is too large');
});

test('answers: a declared length over the limit ends the exchange before its body', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '1000000000000' }).flushHeaders();
  });
  const reply = await clientOf(t, backEnd.url).request(callOf());
  t.is(reply.metadata[REASON_KEY], 'the answer is too large');
});

test('answers: a stream of a gigabyte is destroyed at the limit', async (t) => {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  let written = 0;
  let isCut = false;
  const backEnd = await startBackEnd(t, (_request, response) => {
    const pump = () => {
      while (written < 2 ** 30) {
        written += chunk.length;
        if (!response.write(chunk)) return;
      }
      response.end();
    };
    response.on('drain', pump).on('close', () => {
      isCut = !response.writableFinished;
    });
    pump();
  });
  const client = clientOf(t, backEnd.url, { maxResponseBytes: 1024 * 1024 });
  const reply = await client.request(callOf());
  t.is(reply.status, 13);
  await client.close();
  while (!isCut) await new Promise((resolve) => setTimeout(resolve, 5));
  // The limit, and what the kernel's buffers on both sides took meanwhile.
  t.true(written < 64 * 1024 * 1024, `${written} bytes`);
});

const network = test.macro(async (t, bytes: string | undefined, status: Status, kind: OutcomeKind) => {
  const url = await startTcpServer(t, (socket) => {
    socket.once('data', () => (bytes === undefined ? socket.destroy() : socket.end(bytes)));
  });
  const client = clientOf(t, url);
  const reply = await client.request(callOf());
  t.is(reply.status, status);
  t.is(reply.payload.length, 0);
  t.is(client.outcomes[0]?.kind, kind);
});

const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
test('answers: a connection that closes unanswered is unavailable', network, undefined, 14, 'network');
test('answers: half a header section is unavailable', network, 'HTTP/1.1 200 OK\r\ncontent-', 14, 'network');
test(
  'answers: a body shorter than declared is unavailable',
  network,
  'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort',
  14,
  'network',
);
test('answers: a chunked body cut mid-way is unavailable', network, `${CHUNKED}5\r\nshort\r\n`, 14, 'network');
test(
  'answers: a chunked body cut mid-way on a closing connection is unavailable',
  network,
  'HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\nsho',
  14,
  'network',
);
test('answers: what is not HTTP is a bad answer', network, 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 13, 'bad-answer');
test('answers: a chunk size that is no number is a bad answer', network, `${CHUNKED}zz\r\n`, 13, 'bad-answer');

test('answers: nobody listening is unavailable', async (t) => {
  const client = clientOf(t, 'http://127.0.0.1:1/');
  const reply = await client.request(callOf());
  t.is(reply.status, 14);
  t.deepEqual(reply.metadata, { [REASON_KEY]: 'the back-end cannot be reached' });
});

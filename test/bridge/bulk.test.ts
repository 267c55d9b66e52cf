/** Bulk pushes over real sockets: what each line becomes, and how reading and writing hold each other back. */
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { OverloadedError } from '../../actors/index.js';
import { KEYS, startBridge } from '../support/bridge.js';
import { until } from '../support/until.js';

const key = KEYS.im;
const PATH = '/v1/push/bulk';
const NDJSON = { 'content-type': 'application/x-ndjson' };

type Result = Readonly<Record<string, unknown>>;

const linesOf = (text: string): Result[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const ndjson = (...lines: unknown[]) =>
  lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
const toDevice = (device: string, more = {}) => ({ app: 'demo', device, payload: 'x', messageId: 'm', ...more });

/** A bulk push that a test writes and reads piece by piece. */
class Exchange {
  readonly request: ClientRequest;
  readonly response: Promise<IncomingMessage>;
  text = '';

  constructor(t: ExecutionContext, address: string, headers = {}) {
    const [host, port] = address.split(':');
    this.request = httpRequest({
      host,
      port,
      path: PATH,
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, ...NDJSON, ...headers },
    });
    this.request.on('error', () => {});
    this.request.flushHeaders();
    this.response = once(this.request, 'response').then(([response]) => response as IncomingMessage);
    t.teardown(() => this.request.destroy());
  }

  send(...lines: unknown[]): boolean {
    return this.request.write(`${ndjson(...lines)}\n`);
  }

  /** Reads on, from now to the end. */
  async read(): Promise<IncomingMessage> {
    const response = await this.response;
    response.on('data', (chunk) => {
      this.text += chunk;
    });
    response.on('error', () => {});
    return response;
  }

  get results(): Result[] {
    return linesOf(this.text.slice(0, this.text.lastIndexOf('\n') + 1));
  }
}

test('bulk: each line is a push with a result of its kind, in order', async (t) => {
  const { call, routing } = await startBridge(t);
  await routing.createGroup(1, 'g');
  routing.users.set('ada', ['a', 'b']);
  routing.outcomes.set('a', { result: 'delivered' }).set('b', { result: 'dropped', reason: 'slow' });
  routing.outcomes.set('c', { result: 'expired' });
  const body = ndjson(
    toDevice('a', { ref: 'first ü' }),
    '',
    { app: 'demo', devices: ['b', 'nobody', 'a'], payloadBase64: 'AAEC', messageId: 'm', metadata: { k: 'v' } },
    { app: 'demo', user: 'ada', payload: 'x', messageId: 'm', ttlMs: 5, priority: 'high', droppable: true },
    { group: 'g', payload: 'x', messageId: 'm' },
    toDevice('c'),
    toDevice('nobody'),
  );
  const answer = await call('POST', PATH, { key, body, headers: NDJSON });
  t.is(answer.status, 200);
  t.is(answer.headers['content-type'], 'application/x-ndjson');
  t.is(answer.headers['x-content-type-options'], 'nosniff');
  t.deepEqual(linesOf(answer.text), [
    { index: 0, ref: 'first ü', messageId: 'm', result: 'delivered' },
    {
      index: 1,
      messageId: 'm',
      results: [
        { device: 'b', result: 'dropped', reason: 'slow' },
        { device: 'nobody', result: 'offline' },
        { device: 'a', result: 'delivered' },
      ],
    },
    {
      index: 2,
      messageId: 'm',
      devices: [
        { device: 'a', result: 'delivered' },
        { device: 'b', result: 'dropped', reason: 'slow' },
      ],
    },
    { index: 3, messageId: 'm', offset: 1, members: 0, unanswered: 0 },
    { index: 4, messageId: 'm', result: 'expired' },
    { index: 5, messageId: 'm', result: 'offline' },
  ]);
  t.deepEqual(routing.pushed.find(({ devices }) => devices.length === 3)?.message.payload, Buffer.from([0, 1, 2]));
  t.like(routing.pushed.find(({ message }) => message.ttlMs === 5)?.message, { priority: 'high', droppable: true });
});

test('bulk: a bad line is an error of that line alone', async (t) => {
  const { call, routing } = await startBridge(t, { frameBytes: 4_096 });
  routing.outcomes.set('a', { result: 'delivered' });
  const bad: [line: unknown, code: string, field?: string][] = [
    ['{', 'TRK_INVALID_JSON'],
    ['{"app":"demo","device":"a","payload":"x","metadata":{"__proto__":"x"}}', 'TRK_INVALID_JSON'],
    ['null', 'TRK_INVALID_REQUEST', ''],
    ['[]', 'TRK_INVALID_REQUEST', ''],
    [{ app: 'demo', payload: 'x' }, 'TRK_INVALID_REQUEST', 'device'],
    [{ app: 'demo', device: 'a', user: 'u', payload: 'x' }, 'TRK_INVALID_REQUEST', 'device'],
    [{ device: 'a', payload: 'x' }, 'TRK_INVALID_REQUEST', 'app'],
    [{ app: 'demo', group: 'g', payload: 'x' }, 'TRK_INVALID_REQUEST', 'app'],
    [{ app: 'demo', device: 'a' }, 'TRK_INVALID_REQUEST', 'payload'],
    [{ app: 'demo', device: 'é'.repeat(33), payload: 'x' }, 'TRK_INVALID_REQUEST', 'device'],
    [{ app: 'demo', devices: ['a', ''], payload: 'x' }, 'TRK_INVALID_REQUEST', 'devices.1'],
    [toDevice('a', { ttlMs: -1 }), 'TRK_INVALID_REQUEST', 'ttlMs'],
    [toDevice('a', { more: 1 }), 'TRK_INVALID_REQUEST', ''],
    [{ ...toDevice('a'), app: 'other' }, 'TRK_APP_NOT_SERVED'],
    [{ group: 'nowhere', payload: 'x' }, 'TRK_GROUP_NOT_FOUND'],
    [toDevice('a', { payload: 'x'.repeat(4_096) }), 'TRK_PAYLOAD_TOO_LARGE'],
    [`{"app":"demo","device":"a","payload":"${'x'.repeat(600 * 1024)}"}`, 'TRK_LINE_TOO_LONG'],
  ];
  const body = ndjson(...bad.flatMap(([line], i) => [line, toDevice('a', { ref: `good ${i}` })]));
  const results = linesOf((await call('POST', PATH, { key, body, headers: NDJSON })).text);
  t.is(results.length, 2 * bad.length);
  bad.forEach(([, code, field], i) => {
    const { index, error } = results[2 * i] as { index: number; error: { code: string; errors?: { field: string }[] } };
    t.deepEqual([index, error.code], [2 * i, code], JSON.stringify(error));
    if (field !== undefined)
      t.true(
        error.errors?.some((each) => each.field === field),
        JSON.stringify(error),
      );
    t.deepEqual(results[2 * i + 1], { index: 2 * i + 1, ref: `good ${i}`, messageId: 'm', result: 'delivered' });
  });
});

test('bulk: a line that is no UTF-8 is an error, wherever the chunks are cut', async (t) => {
  const { address, routing } = await startBridge(t);
  routing.outcomes.set('gerät', { result: 'delivered' });
  const exchange = new Exchange(t, address);
  const response = await exchange.read();
  const wire = Buffer.concat([
    Buffer.from(`${ndjson(toDevice('gerät', { ref: '東京' }))}\r\n`),
    Buffer.from([0x22, 0xff, 0x22, 0x0a]),
    Buffer.from(ndjson(toDevice('gerät'))),
  ]);
  for (let at = 0; at < wire.length; at += 7) {
    exchange.request.write(wire.subarray(at, at + 7));
    await delay(0);
  }
  exchange.request.end();
  await once(response, 'end');
  const { results } = exchange;
  t.deepEqual(results[0], { index: 0, ref: '東京', messageId: 'm', result: 'delivered' });
  t.is((results[1] as { error: { code: string } }).error.code, 'TRK_INVALID_JSON');
  t.is(results[2]?.['result'], 'delivered');
});

test('bulk: a line is answered while the request is still under way', async (t) => {
  const { address } = await startBridge(t);
  const exchange = new Exchange(t, address);
  const response = await exchange.read();
  for (let i = 0; i < 3; i++) {
    exchange.send(toDevice(`d-${i}`));
    await until(() => exchange.results.length === i + 1);
  }
  exchange.request.end();
  await once(response, 'end');
  t.is(exchange.results.length, 3);
});

test('bulk: thousands of lines keep their order', async (t) => {
  const { call, routing } = await startBridge(t);
  for (let i = 0; i < 5_000; i += 2) routing.outcomes.set(`d-${i}`, { result: 'delivered' });
  const body = ndjson(...Array.from({ length: 5_000 }, (_, i) => toDevice(`d-${i}`, { ref: String(i) })));
  const results = linesOf((await call('POST', PATH, { key, body, headers: NDJSON })).text);
  t.deepEqual(
    results,
    Array.from({ length: 5_000 }, (_, i) => {
      return { index: i, ref: String(i), messageId: 'm', result: i % 2 === 0 ? 'delivered' : 'offline' };
    }),
  );
  t.deepEqual(
    routing.pushed.map(({ devices }) => devices[0]?.deviceId),
    Array.from({ length: 5_000 }, (_, i) => `d-${i}`),
  );
});

test('bulk: no more is read than the window holds while nothing is answered', async (t) => {
  const { address, routing } = await startBridge(t);
  let open = () => {};
  routing.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const exchange = new Exchange(t, address);
  const response = await exchange.read();
  const total = 40_000;
  let sent = 0;
  const pump = () => {
    for (; sent < total; sent++) {
      if (!exchange.send(toDevice(`d-${sent}`, { payload: 'x'.repeat(200) }))) {
        sent += 1;
        exchange.request.once('drain', pump);
        return;
      }
    }
    exchange.request.end();
  };
  pump();
  await until(() => routing.pushed.length >= 1_024);
  await delay(200);
  const held = routing.pushed.length;
  t.true(held < 1_024 + 256, `${held} lines were taken`);
  t.true(sent < total, 'the sender is held back as well');
  open();
  await once(response, 'end');
  t.is(exchange.results.length, total);
});

test('bulk: whoever does not read the answers is read no further', async (t) => {
  const { address, routing } = await startBridge(t);
  const exchange = new Exchange(t, address);
  const response = await exchange.response;
  response.pause();
  const total = 60_000;
  let sent = 0;
  const pump = () => {
    for (; sent < total; sent++) {
      if (!exchange.send(toDevice(`d-${sent}`, { ref: 'r'.repeat(256) }))) {
        sent += 1;
        exchange.request.once('drain', pump);
        return;
      }
    }
    exchange.request.end();
  };
  pump();
  let before = -1;
  for (; routing.pushed.length > before; await delay(500)) before = routing.pushed.length;
  t.true(before < total, `${before} lines were taken`);
  await exchange.read();
  response.resume();
  await once(response, 'end');
  t.is(exchange.results.length, total);
});

test('bulk: a caller that goes stops the work', async (t) => {
  const { address, routing, call } = await startBridge(t);
  let open = () => {};
  routing.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const exchange = new Exchange(t, address);
  for (let i = 0; i < 3_000; i++) exchange.send(toDevice(`d-${i}`));
  await until(() => routing.pushed.length >= 1_024);
  exchange.request.destroy();
  await delay(50);
  open();
  await delay(100);
  t.true(routing.pushed.length < 2_000, `${routing.pushed.length}`);
  t.is((await call('GET', '/healthz')).status, 200);
});

test('bulk: overload makes a stream slower, not poorer', async (t) => {
  const { address, routing } = await startBridge(t);
  await routing.createGroup(1, 'g');
  routing.failure = new OverloadedError(1, 1);
  const exchange = new Exchange(t, address);
  const response = await exchange.read();
  exchange.send(toDevice('a'), { group: 'g', payload: 'x', messageId: 'm' });
  await delay(100);
  t.deepEqual(exchange.results, []);
  routing.failure = undefined;
  exchange.request.end();
  await once(response, 'end');
  t.deepEqual(exchange.results, [
    { index: 0, messageId: 'm', result: 'offline' },
    { index: 1, messageId: 'm', offset: 1, members: 0, unanswered: 0 },
  ]);
});

test('bulk: a fault of the node is told by line, and its words stay in the log', async (t) => {
  const { call, routing, logs } = await startBridge(t);
  routing.failure = new Error('database password is hunter2');
  const { text } = await call('POST', PATH, { key, body: ndjson(toDevice('a'), toDevice('b')), headers: NDJSON });
  t.deepEqual(
    linesOf(text).map(({ error }) => (error as { code: string }).code),
    ['TRK_INTERNAL', 'TRK_INTERNAL'],
  );
  t.false(text.includes('hunter2'));
  t.true(logs.text().includes('hunter2'));
});

test('bulk: a line may have an idempotency key of its own, the request may not', async (t) => {
  const { call, routing } = await startBridge(t);
  routing.outcomes.set('a', { result: 'delivered' });
  const { messageId: _, ...line } = toDevice('a', { idempotencyKey: 'k-1' });
  const send = async (...lines: unknown[]) =>
    linesOf((await call('POST', PATH, { key, body: ndjson(...lines), headers: NDJSON })).text);
  const [first, twice] = await send(line, { ...line, ref: 'again' });
  t.deepEqual(twice, { ...first, index: 1, ref: 'again' });
  t.deepEqual(await send(line), [first]);
  t.is(routing.pushed.length, 1);
  const [mismatch] = await send({ ...line, payload: 'y' });
  t.is((mismatch as { error: { code: string } }).error.code, 'TRK_IDEMPOTENCY_MISMATCH');
  const headers = { ...NDJSON, 'idempotency-key': 'whole' };
  const refused = await call('POST', PATH, { key, body: '', headers });
  t.deepEqual([refused.status, refused.json.errors[0].field], [400, 'idempotency-key']);
});

test('bulk: an empty request is an empty answer, another media type is refused', async (t) => {
  const { call } = await startBridge(t);
  const empty = await call('POST', PATH, { key, body: '\n\n', headers: NDJSON });
  t.deepEqual([empty.status, empty.text], [200, '']);
  const json = await call('POST', PATH, { key, body: {} });
  t.deepEqual([json.status, json.json.code], [415, 'TRK_UNSUPPORTED_MEDIA_TYPE']);
});

test('bulk: a line without end costs no memory and is told when it is too long', async (t) => {
  const { address } = await startBridge(t, { frameBytes: 4_096 });
  const exchange = new Exchange(t, address);
  const response = await exchange.read();
  const piece = 'x'.repeat(64 * 1024);
  for (let i = 0; i < 100; i++) if (!exchange.request.write(piece)) await once(exchange.request, 'drain');
  await until(() => exchange.results.length === 1);
  t.is((exchange.results[0] as { error: { code: string } }).error.code, 'TRK_LINE_TOO_LONG');
  exchange.request.write('\n');
  exchange.send(toDevice('a'));
  exchange.request.end();
  await once(response, 'end');
  t.is(exchange.results.length, 2);
});

test('bulk: lines above the rate of the key wait for it', async (t) => {
  const { address } = await startBridge(t, { requestsPerSecond: 100 });
  const exchange = new Exchange(t, address);
  const response = await exchange.read();
  const startedMs = performance.now();
  for (let i = 0; i < 3; i++) {
    exchange.send(...Array.from({ length: 100 }, () => toDevice('a')));
    await until(() => exchange.results.length === 100 * (i + 1));
  }
  exchange.request.end();
  await once(response, 'end');
  t.true(performance.now() - startedMs >= 900, 'a burst of 200, then 100 a second');
});

test('bulk: whoever sends nothing is told and let go, whoever reads nothing is cut off', async (t) => {
  const { address } = await startBridge(t, { bulkIdleMs: 300 });
  const idle = new Exchange(t, address);
  const response = await idle.read();
  idle.send(toDevice('a'));
  await once(response, 'end');
  t.is((idle.results.at(-1) as { error: { code: string } }).error.code, 'TRK_REQUEST_TIMEOUT');

  const deaf = new Exchange(t, address);
  const unread = await deaf.response;
  unread.pause();
  const closed = new Promise((resolve) => deaf.request.once('close', resolve));
  const pump = () => {
    while (!deaf.request.destroyed && deaf.send(toDevice('a', { ref: 'r'.repeat(256) })));
    deaf.request.once('drain', pump);
  };
  pump();
  await closed;
  t.pass();
});

test('bulk: a node that stops answers what it took, says why, and ends', async (t) => {
  const { address, actor } = await startBridge(t);
  const exchange = new Exchange(t, address);
  const response = await exchange.read();
  exchange.send(toDevice('a'));
  await until(() => exchange.results.length === 1);
  const stopping = actor.stop({ withinMs: 5_000 });
  await once(response, 'end');
  t.is((exchange.results[1] as { error: { code: string } }).error.code, 'TRK_NOT_READY');
  t.is(exchange.results[1]?.['index'], undefined);
  await stopping;
});

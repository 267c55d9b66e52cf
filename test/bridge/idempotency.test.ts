import test from 'ava';
import { GroupNotFoundError, OverloadedError } from '../../actors/index.js';
import { IdempotentAnswers, REMEMBERED_FOR_MS } from '../../bridge/idempotency.js';
import { KEYS, startBridge } from '../support/bridge.js';
import { until } from '../support/until.js';

const UNICAST = '/v1/apps/demo/devices/alice/push';
const key = KEYS.im;
const keyed = (idempotencyKey: string, more = {}) => ({ 'idempotency-key': idempotencyKey, ...more });

test('idempotency: the same request with the same key is made once and answered alike', async (t) => {
  const { call, routing } = await startBridge(t);
  routing.outcomes.set('alice', { result: 'delivered' });
  const send = (idempotencyKey: string, businessKey = key) =>
    call('POST', UNICAST, { key: businessKey, body: { payload: 'x' }, headers: keyed(idempotencyKey) });
  const first = await send('k-1');
  const again = await send('k-1', KEYS.imNext);
  t.is(first.headers['trunkline-replayed'], undefined);
  t.is(again.headers['trunkline-replayed'], 'true');
  t.is(again.headers['content-type'], first.headers['content-type']);
  t.deepEqual(again.json, first.json);
  t.is(routing.pushed.length, 1);
  t.notDeepEqual((await send('k-2')).json, first.json);
  t.is(routing.pushed.length, 2);
  await send('k-1', KEYS.live);
  t.is(routing.pushed.length, 3, 'keys of two businesses are two keys');
});

test('idempotency: every route that pushes takes a key', async (t) => {
  const { call, routing } = await startBridge(t);
  await routing.createGroup(1, 'g');
  for (const [path, more] of [
    [UNICAST, {}],
    ['/v1/apps/demo/push', { devices: ['a'] }],
    ['/v1/apps/demo/users/u/push', {}],
    ['/v1/apps/demo/broadcast', {}],
    ['/v1/groups/g/push', {}],
  ] as const) {
    routing.users.set('u', ['a']);
    const send = () => call('POST', path, { key, body: { payload: 'x', ...more }, headers: keyed(path) });
    const before = routing.pushed.length;
    const [first, again] = [await send(), await send()];
    t.is(first.status, 200, path);
    t.deepEqual(again.json, first.json);
    t.is(routing.pushed.length, before + 1, path);
  }
});

test('idempotency: the same key with another body, path or header is refused', async (t) => {
  const { call, routing } = await startBridge(t);
  const send = (body: unknown, path = UNICAST, headers = {}) =>
    call('POST', path, { key, body, headers: keyed('k', headers) });
  await send({ payload: 'x' });
  const raw = { 'content-type': 'application/octet-stream' };
  for (const answer of [
    await send({ payload: 'y' }),
    await send({ payload: 'x', ttlMs: 5 }),
    await send({ payload: 'x' }, '/v1/apps/demo/devices/bob/push'),
    await send(Buffer.from('x'), UNICAST, raw),
  ]) {
    t.is(answer.status, 422);
    t.is(answer.json.code, 'TRK_IDEMPOTENCY_MISMATCH');
  }
  t.is(routing.pushed.length, 1);
  const rawly = (ttl: string) =>
    call('POST', UNICAST, { key, body: Buffer.from('x'), headers: keyed('r', { ...raw, 'trunkline-ttl-ms': ttl }) });
  t.is((await rawly('5')).status, 200);
  t.is((await rawly('5')).headers['trunkline-replayed'], 'true');
  t.is((await rawly('6')).status, 422);
});

test('idempotency: duplicates at the same time wait for the first', async (t) => {
  const { call, routing } = await startBridge(t);
  let open = () => {};
  routing.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const send = () => call('POST', UNICAST, { key, body: { payload: 'x' }, headers: keyed('k') });
  const answers = [send(), send(), send()];
  await until(() => routing.pushed.length > 0);
  open();
  const [first, ...others] = await Promise.all(answers);
  for (const other of others) t.deepEqual(other.json, first?.json);
  t.is(routing.pushed.length, 1);
});

test('idempotency: a refusal is not remembered, a fault of the node is', async (t) => {
  const { call, routing } = await startBridge(t);
  const send = (idempotencyKey: string, path = UNICAST) =>
    call('POST', path, { key, body: { payload: 'x' }, headers: keyed(idempotencyKey) });
  routing.failure = new OverloadedError(1, 1);
  t.is((await send('busy')).status, 429);
  t.is((await send('g', '/v1/groups/g/push')).status, 429);
  routing.failure = undefined;
  t.is((await send('busy')).status, 200);
  t.is((await send('g', '/v1/groups/g/push')).status, 404);
  await routing.createGroup(1, 'g');
  t.is((await send('g', '/v1/groups/g/push')).status, 200);
  routing.failure = new Error('disk full');
  t.is((await send('broken')).status, 500);
  routing.failure = undefined;
  const again = await send('broken');
  t.is(again.status, 500, 'whether it was sent nobody knows');
});

test('idempotency: a key has its form', async (t) => {
  const { call, routing } = await startBridge(t);
  for (const wrong of ['', 'x'.repeat(129)]) {
    const answer = await call('POST', UNICAST, { key, body: { payload: 'x' }, headers: keyed(wrong) });
    t.is(answer.status, 400);
    t.deepEqual([answer.json.errors[0].in, answer.json.errors[0].field], ['header', 'idempotency-key']);
  }
  t.is(routing.pushed.length, 0);
});

// ---- the store

function store({ maxCount = 1_000, maxBytes = 1_000_000 } = {}) {
  let nowMs = 0;
  const answers = new IdempotentAnswers({ now: () => nowMs, maxCount, maxBytes });
  let made = 0;
  const ask = async (business: string, idempotencyKey: string, text = 'answer') => {
    const { isReplay } = await answers.run(business, idempotencyKey, 'same', async () => {
      made += 1;
      return text;
    });
    return isReplay ? 'known' : 'made';
  };
  const at = (ms: number) => {
    nowMs = ms;
  };
  return { answers, ask, at, made: () => made };
}

test('idempotency store: an answer is forgotten after ten minutes, and what it took is given back', async (t) => {
  const { answers, ask, at } = store();
  await ask('im', 'a');
  at(1);
  await ask('im', 'b');
  at(REMEMBERED_FOR_MS);
  t.is(await ask('im', 'b'), 'known');
  t.is(await ask('im', 'a'), 'made');
  at(REMEMBERED_FOR_MS * 3);
  t.is(await ask('im', 'c'), 'made');
  t.is(answers.count, 1);
  t.true(answers.bytes > 0 && answers.bytes < 500);
});

test('idempotency store: at its bound whoever remembers most forgets first, the oldest', async (t) => {
  const { answers, ask } = store({ maxCount: 10 });
  await ask('small', 'kept');
  for (let i = 0; i < 50; i++) await ask('large', `k-${i}`);
  t.is(answers.count, 10);
  t.is(await ask('small', 'kept'), 'known');
  t.is(await ask('large', 'k-49'), 'known');
  t.is(await ask('large', 'k-0'), 'made');
});

test('idempotency store: large answers are bounded in bytes', async (t) => {
  const { answers, ask } = store({ maxBytes: 100_000 });
  for (let i = 0; i < 50; i++) await ask('im', `k-${i}`, 'x'.repeat(5_000));
  t.true(answers.bytes <= 100_000);
  t.true(answers.count < 10);
  t.is(await ask('im', 'k-49'), 'known');
});

test('idempotency store: what is under way is not forgotten, whatever comes', async (t) => {
  const { answers, ask, at } = store({ maxCount: 2 });
  let finish = (_text: string) => {};
  const work = () => new Promise<string>((resolve) => (finish = resolve));
  const first = answers.run('im', 'slow', 'same', work);
  for (let i = 0; i < 5; i++) await ask('im', `k-${i}`);
  at(REMEMBERED_FOR_MS * 2);
  const second = answers.run('im', 'slow', 'same', () => Promise.reject(new Error('made twice')));
  finish('done');
  t.deepEqual(await Promise.all([first, second]), [
    { text: 'done', isReplay: false },
    { text: 'done', isReplay: true },
  ]);
  await t.throwsAsync(
    answers.run('im', 'gone', 'same', () => Promise.reject(new GroupNotFoundError('g'))),
    { code: 'TRK_GROUP_NOT_FOUND' },
  );
  t.is(await ask('im', 'gone'), 'made');
});

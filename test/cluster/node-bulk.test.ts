/** Bulk pushes, users, broadcasts and options of pushes: from the back-end client through a real node to devices. */
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { BulkPush, BulkResult } from '../../sdk/backend/index.js';
import type { Push, TrunklineClient } from '../../sdk/node.js';
import { backEndOf } from '../support/back-end-of.js';
import { eventually, shareTestNode, startTestNode } from '../support/start-test-node.js';

const shared = shareTestNode();

function collect(client: TrunklineClient): Push[] {
  const pushes: Push[] = [];
  client.business('im').onPush((push) => pushes.push(push));
  return pushes;
}

async function all(results: AsyncIterable<BulkResult>): Promise<BulkResult[]> {
  const taken: BulkResult[] = [];
  for await (const result of results) taken.push(result);
  return taken;
}

test('node: a bulk of thousands reaches every device once and in order, with a result each', async (t) => {
  const node = shared();
  const placed = await node.onlineOnBothWorkers('bulk');
  const received = placed.map(({ client }) => collect(client));
  const ids = [...placed.map(({ deviceId }) => deviceId), 'nobody'];
  const total = 5_000;
  const pushes = Array.from({ length: total }, (_, i): BulkPush => {
    return { device: ids[i % ids.length] as string, payload: String(i), ref: `r-${i}` };
  });
  const results = await all(backEndOf(t, node).pushBulk(pushes));
  t.is(results.length, total);
  results.forEach(({ index, ref, result }, i) => {
    if (index !== i || ref !== `r-${i}`) t.fail(`result ${i} is of ${index}`);
    if (result !== (i % ids.length === ids.length - 1 ? 'offline' : 'delivered')) t.fail(`${i}: ${result}`);
  });
  placed.forEach((_, d) => {
    const expected = pushes.filter((_push, i) => i % ids.length === d).map(({ payload }) => payload);
    t.deepEqual(
      received[d]?.map((push) => push.text()),
      expected,
    );
  });
});

test('node: a bulk takes users and groups, and what is wrong is that push alone', async (t) => {
  const node = shared();
  const backEnd = backEndOf(t, node);
  await backEnd.createGroup('room-bulk');
  const { token } = await node.issueToken('bulk-user-phone');
  t.truthy(token);
  const client = await node.online('bulk-member');
  await client.business('im').join('room-bulk');
  const received = collect(client);
  async function* pushes(): AsyncGenerator<BulkPush> {
    yield { group: 'room-bulk', payload: 'to all', messageId: 'm-1' };
    yield { group: 'nowhere', payload: 'x' };
    yield { devices: ['bulk-member', 'nobody'], payload: Uint8Array.of(1, 2), messageId: 'm-2' };
    yield { user: 'nobody', payload: 'x', messageId: 'm-3' };
    yield { device: '', payload: 'x' };
  }
  const results = await all(backEnd.pushBulk(pushes()));
  t.deepEqual(results[0], { index: 0, messageId: 'm-1', offset: 1, members: 1, unanswered: 0 });
  t.is(results[1]?.error?.code, 'TRK_GROUP_NOT_FOUND');
  t.deepEqual(results[2]?.results, [
    { device: 'bulk-member', result: 'delivered' },
    { device: 'nobody', result: 'offline' },
  ]);
  t.deepEqual(results[3], { index: 3, messageId: 'm-3', devices: [] });
  t.is(results[4]?.error?.errors?.[0]?.field, 'device');
  await eventually(() => received.length === 2);
});

test('node: a bulk asks for no more pushes than whoever takes the results lets it', async (t) => {
  const node = shared();
  let asked = 0;
  async function* endless(): AsyncGenerator<BulkPush> {
    for (;;) yield { device: 'nobody', payload: 'x'.repeat(1_000), ref: String(asked++) };
  }
  const results = backEndOf(t, node).pushBulk(endless())[Symbol.asyncIterator]();
  for (let i = 0; i < 10; i++) t.is((await results.next()).value?.ref, String(i));
  let before = -1;
  for (; asked > before; await delay(300)) before = asked;
  t.true(asked > 100);
  await results.return?.();
  const atEnd = asked;
  await delay(100);
  t.true(asked <= atEnd + 100, 'nothing is asked for any more');
});

test('node: what the pushes themselves throw is thrown, and a refused key is a refusal', async (t) => {
  const node = shared();
  async function* broken(): AsyncGenerator<BulkPush> {
    yield { device: 'nobody', payload: 'x' };
    throw new Error('my own');
  }
  await t.throwsAsync(all(backEndOf(t, node).pushBulk(broken())), { message: 'my own' });
  const answer = await node.call('POST', '/v1/push/bulk', { key: 'nobody-has-this-key', body: '{}' });
  t.is(answer.status, 401);
});

test('node: a user is pushed to on every device, and seen with every device', async (t) => {
  const node = shared();
  const backEnd = backEndOf(t, node);
  const clients = await Promise.all(
    ['phone', 'tablet'].map((name) => node.online(`ada-${name}`, { grants: { uid: 'ada' } })),
  );
  const received = clients.map(collect);
  const answer = await backEnd.pushToUser('ada', { payload: 'hello', messageId: 'm' });
  t.deepEqual([answer.messageId, answer.user], ['m', 'ada']);
  t.deepEqual(answer.devices.map(({ device, result }) => `${device} ${result}`).toSorted(), [
    'ada-phone delivered',
    'ada-tablet delivered',
  ]);
  await eventually(() => received.every((pushes) => pushes.length === 1));
  const [ada, nobody] = await backEnd.presenceOfUser(['ada', 'nobody']);
  t.deepEqual(ada?.devices.map(({ device }) => device).toSorted(), ['ada-phone', 'ada-tablet']);
  t.deepEqual(nobody, { user: 'nobody', online: false, devices: [] });
  for (const client of clients) client.close();
  await eventually(async () => !(await backEnd.presenceOfUser('ada')).online);
  t.deepEqual((await backEnd.pushToUser('ada', { payload: 'gone' })).devices, []);
});

test('node: a broadcast reaches every device that was granted the business, and counts', async (t) => {
  const node = await startTestNode(t);
  const clients = await Promise.all(Array.from({ length: 12 }, (_, i) => node.online(`d-${i}`)));
  await node.online('live-only', { grants: { businesses: ['live'] } });
  const received = clients.map(collect);
  const { devices, results } = await backEndOf(t, node).broadcast({ payload: 'all of you' });
  t.is(devices, 12);
  t.deepEqual(results, { delivered: 12, offline: 0, expired: 0, dropped: 0, unknown: 0 });
  await eventually(() => received.every((pushes) => pushes[0]?.text() === 'all of you'));
});

test('node: groups are listed page by page', async (t) => {
  const node = await startTestNode(t);
  const backEnd = backEndOf(t, node);
  for (let i = 0; i < 25; i++) await backEnd.createGroup(`room-${i}`);
  const names: string[] = [];
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const page = await backEnd.listGroups({ limit: 10, ...(after === undefined ? {} : { after }) });
    names.push(...page.groups.map(({ group }) => group));
    after = page.next;
  }
  t.is(new Set(names).size, 25);
  t.is(names.length, 25);
});

test('node: a push with an idempotency key is made once', async (t) => {
  const node = shared();
  const received = collect(await node.online('once'));
  const backEnd = backEndOf(t, node);
  const push = () => backEnd.pushToDevice('once', { payload: 'x' }, { idempotencyKey: 'k-once' });
  const [first, second] = await Promise.all([push(), push()]);
  t.deepEqual(second, first);
  t.deepEqual(await push(), first);
  await eventually(() => received.length === 1);
  await t.throwsAsync(backEnd.pushToDevice('once', { payload: 'y' }, { idempotencyKey: 'k-once' }), {
    code: 'TRK_IDEMPOTENCY_MISMATCH',
  });
  t.is(received.length, 1);
});

test('node: a push that cannot be written in its time expires, an urgent one goes first', async (t) => {
  const node = shared();
  const device = await node.rawDevice('tunnel');
  const backEnd = backEndOf(t, node);
  device.pause();
  const large = 'x'.repeat(900_000);
  // Until the kernel takes no more.
  const fill = async (): Promise<void> => {
    for (;;) {
      const { result } = await backEnd.pushToDevice('tunnel', { payload: large });
      if (result !== 'delivered') return;
    }
  };
  await fill();
  const started = performance.now();
  const expired = await backEnd.pushToDevice('tunnel', { payload: 'short-lived', ttlMs: 50 });
  t.is(expired.result, 'expired');
  t.true(performance.now() - started < 950, 'told before the second is over after which it would be slow');
  const slow = await backEnd.pushToDevice('tunnel', { payload: 'patient', ttlMs: 60_000 });
  t.deepEqual([slow.result, slow.reason], ['dropped', 'slow']);
});

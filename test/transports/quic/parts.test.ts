import test from 'ava';
import { AddressTokens, TOKEN_LIFE_MS } from '../../../transports/quic/address-tokens.js';
import { ALLOWANCE_BYTES, Allowance } from '../../../transports/quic/allowance.js';
import { ConnectionIds, workerOfId } from '../../../transports/quic/connection-ids.js';
import { Deadlines } from '../../../transports/quic/deadlines.js';
import { CONNECTION_BYTES, MemoryBudget } from '../../../transports/quic/memory-budget.js';
import { RateBucket } from '../../../transports/quic/rate-bucket.js';
import { until } from '../../support/until.js';

const FIRST = Buffer.from('0102030405060708', 'hex');
const CHOSEN = Buffer.alloc(12, 9);
const PEER = '192.0.2.1 4433';

test('address tokens: good for the same address, port and ids until they expire', (t) => {
  let nowMs = 1_000;
  const tokens = new AddressTokens(() => nowMs);
  const token = tokens.issue(PEER, CHOSEN, FIRST);
  t.deepEqual(tokens.check(PEER, CHOSEN, token), FIRST);
  t.is(tokens.check('192.0.2.2 4433', CHOSEN, token), undefined);
  t.is(tokens.check('192.0.2.1 4434', CHOSEN, token), undefined);
  t.is(tokens.check(PEER, Buffer.alloc(12, 8), token), undefined);
  nowMs += TOKEN_LIFE_MS;
  t.is(tokens.check(PEER, CHOSEN, token), undefined);
});

test('address tokens: not one bit may differ, nor a byte be missing, and another key makes others', (t) => {
  const tokens = new AddressTokens(() => 0);
  const token = tokens.issue(PEER, CHOSEN, FIRST);
  for (let bit = 0; bit < token.length * 8; bit++) {
    const forged = Buffer.from(token);
    forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
    t.is(tokens.check(PEER, CHOSEN, forged), undefined);
  }
  for (let length = 0; length < token.length; length++) {
    t.is(tokens.check(PEER, CHOSEN, token.subarray(0, length)), undefined);
  }
  t.is(new AddressTokens(() => 0).check(PEER, CHOSEN, token), undefined);
});

test('connection ids: name their worker, never repeat, and have the same reset token on every run', (t) => {
  const ids = new ConnectionIds(7, 'secret');
  const made = Array.from({ length: 1_000 }, () => ids.create());
  t.is(new Set(made.map((id) => id.toString('hex'))).size, 1_000);
  t.true(made.every((id) => workerOfId(id) === 7 && workerOfId(id.toString('latin1')) === 7));
  const [id = CHOSEN] = made;
  t.deepEqual(new ConnectionIds(3, 'secret').resetToken(id), ids.resetToken(id));
  t.notDeepEqual(new ConnectionIds(7, 'other').resetToken(id), ids.resetToken(id));
});

test('allowance: small talk and data are free of end, a flood of anything else is not', (t) => {
  const idle = new Allowance(0);
  for (let minute = 1; minute < 10_000; minute++) t.true(idle.received(40, minute * 60_000));
  const busy = new Allowance(0);
  for (let i = 0; i < 100_000; i++) {
    if (!busy.received(1_200, 0)) return t.fail('data was held against the peer');
    busy.delivered(1_150);
  }
  const flood = new Allowance(0);
  let datagrams = 0;
  while (flood.received(1_200, 0)) datagrams += 1;
  t.true(datagrams * 1_200 <= ALLOWANCE_BYTES);
});

test('rate bucket: a second’s worth at once, and then as time goes by', (t) => {
  const bucket = new RateBucket(10, 0);
  const taken = (nowMs: number) => Array.from({ length: 20 }, () => bucket.take(nowMs)).filter(Boolean).length;
  t.deepEqual([taken(0), taken(500), taken(500), taken(10_000)], [10, 5, 0, 10]);
});

test('memory budget: so many connections as fit beside the heap', (t) => {
  const budget = new MemoryBudget(4 * 1024 * 1024 * 1024);
  t.false(budget.isSpent(0));
  t.true(budget.isSpent((4 * 1024 * 1024 * 1024) / CONNECTION_BYTES));
});

interface Entry {
  dueMs: number;
  slot: number;
}

test('deadlines: each entry once, not before its time, also when it was moved or lies far away', async (t) => {
  let shiftMs = 0;
  const now = () => performance.now() + shiftMs;
  const due: [Entry, number][] = [];
  const deadlines = new Deadlines<Entry>((entry) => due.push([entry, now()]), now);
  const at = (inMs: number): Entry => ({ dueMs: now() + inMs, slot: -1 });
  const [soon, later, nearer, gone, far] = [at(10), at(20), at(60_000), at(15), at(100_000)];
  for (const entry of [soon, later, nearer, gone, far]) deadlines.set(entry);
  later.dueMs += 30;
  deadlines.set(later);
  nearer.dueMs = now() + 25;
  deadlines.set(nearer);
  deadlines.delete(gone);
  await until(() => due.length === 3);
  t.true(due.every(([entry, atMs]) => atMs >= entry.dueMs));
  const seen = new Set(due.map(([entry]) => entry));
  t.true([soon, later, nearer].every((entry) => seen.has(entry)));
  shiftMs = 200_000;
  deadlines.set(at(1));
  await until(() => due.length === 5);
  t.true(due.some(([entry]) => entry === far));
  deadlines.stop();
});

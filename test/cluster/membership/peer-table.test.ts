/** The router's questions about nodes, answered from views of the leases. */
import test from 'ava';
import { firstSerial } from '../../../actors/index.js';
import type { NodeLease } from '../../../cluster/engines/contract/index.js';
import { OwnLease, PeerTable } from '../../../cluster/membership/index.js';
import { FakeClock, LEASE_MS, leaseOf } from './fixtures.js';

const connection = (name: string, generation = 0, worker = 0) => ({
  incarnation: `incarnation-of-${name}`,
  worker,
  serial: firstSerial(generation) + 5,
});

function startTable() {
  const clock = new FakeClock();
  const own = new OwnLease(LEASE_MS, 0);
  const looks: number[] = [];
  const moves: string[] = [];
  const table = new PeerTable({
    incarnation: 'incarnation-of-a',
    own,
    leaseMs: LEASE_MS,
    now: clock.now,
    look: () => looks.push(clock.ms),
    onMove: ({ record }, { to }) => moves.push(`${record.name} ${to}`),
  });
  const observe = (...nodes: NodeLease[]) => {
    own.renewed(own.state === 'unregistered' ? 'new' : 'renewed', clock.ms, clock.ms);
    table.observe({ own: 'renewed', nodes: [leaseOf('a', LEASE_MS), ...nodes] }, clock.ms);
  };
  return { clock, table, observe, looks, moves, own };
}

test('peer table: this node’s own connections are those of the runs of its workers', (t) => {
  const { table } = startTable();
  t.false(table.has(connection('a')));
  table.workerUp(0, 2);
  t.true(table.has(connection('a', 2)));
  t.false(table.has(connection('a', 1)));
  t.false(table.has(connection('a', 2, 1)));
  table.workerDown(0);
  t.false(table.has(connection('a', 2)));
  t.is(table.standing('incarnation-of-a'), 'live');
});

test('peer table: a node nobody has heard of may be there until a later view does not have it', (t) => {
  const { clock, table, observe, looks } = startTable();
  observe();
  clock.advance(10);
  t.true(table.has(connection('new')));
  t.is(table.standing('incarnation-of-new'), 'live');
  t.deepEqual(looks, [10]);
  clock.advance(10);
  observe();
  t.false(table.has(connection('new')));
  t.is(table.standing('incarnation-of-new'), 'gone');
  t.deepEqual(looks, [10]);
  observe(leaseOf('new', LEASE_MS));
  t.true(table.has(connection('new')));
});

test('peer table: a view that was asked for before proves nothing', (t) => {
  const { clock, table } = startTable();
  clock.advance(100);
  t.true(table.has(connection('new')));
  table.observe({ own: 'renewed', nodes: [] }, 50);
  t.true(table.has(connection('new')));
});

test('peer table: who joins, becomes suspect, goes is told once, and a lapsed one is not reachable', (t) => {
  const { clock, table, observe, moves } = startTable();
  observe(leaseOf('b', LEASE_MS));
  t.true(table.has(connection('b')));
  clock.advance(LEASE_MS);
  observe(leaseOf('b', 0));
  t.false(table.has(connection('b')));
  t.is(table.standing('incarnation-of-b'), 'suspect');
  clock.advance(LEASE_MS - 100);
  observe(leaseOf('b', 0));
  clock.advance(100);
  observe(leaseOf('b', 0));
  t.is(table.standing('incarnation-of-b'), 'gone');
  observe();
  t.deepEqual(moves, ['b joined', 'b suspect', 'b gone']);
});

test('peer table: one found lapsed at the first look is suspect at once', (t) => {
  const { table, observe, moves } = startTable();
  observe(leaseOf('b', 0));
  t.false(table.has(connection('b')));
  t.deepEqual(moves, ['b joined', 'b suspect']);
});

test('peer table: a message that found nobody makes one look, not one a message', (t) => {
  const { table, observe, looks } = startTable();
  observe(leaseOf('b', LEASE_MS));
  for (let i = 0; i < 3; i++) table.unreachable('incarnation-of-b');
  t.deepEqual(looks, [0]);
  t.false(table.has(connection('b')));
});

test('peer table: a run that the node has not told of yet is reachable, and looked for', (t) => {
  const { table, observe, looks } = startTable();
  observe(leaseOf('b', LEASE_MS, { workers: [1] }));
  t.true(table.has(connection('b', 2)));
  t.deepEqual(looks, [0]);
  t.false(table.has(connection('b', 0)));
});

test('peer table: while no view comes the others stay reachable: the engine is away, not they', (t) => {
  const { clock, table, observe } = startTable();
  observe(leaseOf('b', LEASE_MS));
  clock.advance(60_000);
  t.true(table.has(connection('b')));
});

test('peer table: nodes that are gone are remembered for a while', (t) => {
  const { clock, table, observe } = startTable();
  observe(leaseOf('b', LEASE_MS));
  observe();
  t.is(table.all.length, 1);
  clock.advance(600_001);
  observe();
  t.is(table.all.length, 0);
});

import test from 'ava';
import type { NodeLease, NodeRecord } from '../../cluster/index.js';
import type { NodeConfig } from '../../config/index.js';
import type { NodeChoice } from '../../control/node-choice.js';
import { scriptedRandom, seededRandom } from '../support/seeded-random.js';
import { leaseOf } from './fixtures.js';
import { choose, NO_CONTROL } from './node-question.js';

const names = (choice: NodeChoice) => choice.rounds.map(({ taken }) => taken.name);
const rounds = (choice: NodeChoice) =>
  choice.rounds.map(({ compared, taken, by }) => [compared.map(({ name }) => name), taken.name, by]);
const verdicts = (choice: NodeChoice) =>
  Object.fromEntries(choice.nodes.map(({ record, leftOut = 'fit' }) => [record.name, leftOut]));

test('node choice: each reason to leave a node out', (t) => {
  const choice = choose([
    leaseOf('good'),
    leaseOf('router', { roles: ['bridge', 'control'] }),
    leaseOf('silent', {}, 0),
    leaseOf('leaving', { draining: true }),
    leaseOf('crashed', { workers: [3, -1] }),
    leaseOf('bare', { workers: [] }),
    leaseOf('busy', { load: 1 }),
    leaseOf('full', { connections: 1_000 }),
    leaseOf('over', { connections: 1_001 }),
    leaseOf('mute', { accessPoints: {} }),
    leaseOf('far', { region: 'far' }),
  ]);
  t.deepEqual(verdicts(choice), {
    good: 'fit',
    router: 'no-access',
    silent: 'lease-lapsed',
    leaving: 'draining',
    crashed: 'not-ready',
    bare: 'not-ready',
    busy: 'overloaded',
    full: 'full',
    over: 'full',
    mute: 'no-protocol',
    far: 'other-region',
  });
  t.deepEqual(rounds(choice), [[['good'], 'good', 'only']]);
});

test('node choice: of two that are drawn the less loaded is named, then of those that are left', (t) => {
  const nodes = [leaseOf('a', { load: 0.6 }), leaseOf('b', { load: 0.2 }), leaseOf('c', { load: 0.4 })];
  // a (0 of 3) and c (1 of the other two); then of a, b: b (1 of 2) and a; then a.
  const choice = choose(nodes, { random: scriptedRandom(0, 0.9, 0.5, 0) });
  t.deepEqual(rounds(choice), [
    [['a', 'c'], 'c', 'load'],
    [['b', 'a'], 'b', 'load'],
    [['a'], 'a', 'only'],
  ]);
});

test('node choice: loads of one tenth are alike, then connections for the limit count, then the draw', (t) => {
  const half = leaseOf('half', { load: 0.09, connections: 500 });
  const more = leaseOf('more', { load: 0.01, connections: 900, connectionLimit: 10_000 });
  t.deepEqual(rounds(choose([half, more], { random: scriptedRandom(0, 0) }))[0], [
    ['half', 'more'],
    'more',
    'connections',
  ]);
  const equal = [leaseOf('x'), leaseOf('y')];
  t.deepEqual(rounds(choose(equal, { random: scriptedRandom(0.99, 0) }))[0], [['y', 'x'], 'y', 'draw']);
});

test('node choice: as many as the configuration wants, each once', (t) => {
  const nodes = Array.from({ length: 20 }, (_, i) => leaseOf(`n${i}`));
  for (const accessPoints of [1, 3, 16]) {
    const chosen = names(choose(nodes, { control: { ...NO_CONTROL, accessPoints } }));
    t.is(new Set(chosen).size, accessPoints);
  }
  t.is(names(choose(nodes.slice(0, 2))).length, 2);
  t.deepEqual(names(choose([])), []);
});

test('node choice: nodes of one name are two nodes', (t) => {
  const twins = [leaseOf('twin', { incarnation: '1' }), leaseOf('twin', { incarnation: '2' })];
  t.deepEqual(
    choose(twins)
      .rounds.map(({ taken }) => taken.incarnation)
      .sort(),
    ['1', '2'],
  );
});

test('node choice: a browser is sent to nodes that speak WebSocket', (t) => {
  const nodes = [leaseOf('tcp', { accessPoints: { tcp: 'a:1' } }), leaseOf('ws', { accessPoints: { ws: 'a:2' } })];
  const web = choose(nodes, { attributes: { platform: 'web' } });
  t.deepEqual([names(web), verdicts(web)['tcp']], [['ws'], 'no-protocol']);
  t.is(names(choose(nodes)).length, 2);
});

const REGIONS: NodeConfig['control'] = {
  ...NO_CONTROL,
  regions: {
    eu: { fallback: ['us', 'asia'], cidrs: [], domains: {} },
    us: { fallback: [], cidrs: [], domains: {} },
    asia: { fallback: [], cidrs: [], domains: { wss: 'asia.example.com:443' } },
  },
};
const eu = leaseOf('eu-1', { region: 'eu' });
const us = leaseOf('us-1', { region: 'us' });
const asia = leaseOf('asia-1', { region: 'asia' });
const full = (lease: NodeLease): NodeLease => ({ ...lease, record: { ...lease.record, connections: 1_000 } });

test('node choice: fallback regions count in their order, and only when the own one has no node to offer', (t) => {
  const inEurope = { control: REGIONS, attributes: { region: 'eu' }, ownRegion: 'us' };
  t.deepEqual(names(choose([eu, us, asia], inEurope)), ['eu-1']);
  const next = choose([full(eu), us, asia], inEurope);
  t.deepEqual([names(next), next.chosenRegions], [['us-1'], ['us']]);
  t.deepEqual(verdicts(next), { 'eu-1': 'full', 'us-1': 'fit', 'asia-1': 'other-region' });
  t.deepEqual(names(choose([full(eu), full(us), asia], inEurope)), ['asia-1']);
});

test('node choice: who names a region goes nowhere but there and to its fallbacks', (t) => {
  const choice = choose([eu, full(us)], { control: REGIONS, attributes: { region: 'us' }, ownRegion: 'eu' });
  t.deepEqual([names(choice), choice.chosenRegions], [[], []]);
  t.is(verdicts(choice)['eu-1'], 'other-region');
});

test('node choice: who names none, or one that nobody knows, is sent to the own region and then anywhere', (t) => {
  for (const attributes of [{}, { region: 'mars' }, { region: 'constructor' }, { region: '' }]) {
    const control = { ...REGIONS, regions: { ...REGIONS.regions, eu: { fallback: [], cidrs: [], domains: {} } } };
    const near = choose([eu, us, asia], { control, attributes, ownRegion: 'eu' });
    t.deepEqual(names(near), ['eu-1']);
    t.false(near.regions.known);
    const anywhere = choose([full(eu), us, asia], { control, attributes, ownRegion: 'eu' });
    t.deepEqual(names(anywhere).sort(), ['asia-1', 'us-1']);
    t.deepEqual(anywhere.regions.steps, [['eu'], ['asia', 'us']]);
  }
});

test('node choice: a region is known by a node in it, without any configuration', (t) => {
  const choice = choose([eu, us], { attributes: { region: 'us' } });
  t.true(choice.regions.known);
  t.deepEqual(names(choice), ['us-1']);
});

test('node choice: a region offers what its domains do', (t) => {
  const attributes = { platform: 'web', region: 'asia' };
  const raw = leaseOf('asia-1', { region: 'asia', accessPoints: { tcp: 'a:1' } });
  t.deepEqual(names(choose([raw], { control: REGIONS, attributes })), ['asia-1']);
});

// ---- spread

const NODES = 10;
const CLIENTS = 10_000;

/** Sends clients one after the other to the first node they are told, with what is known of connections renewed every `every`. */
function simulate(every: number, limits: readonly number[], seed: number): number[] {
  const random = seededRandom(seed);
  const real = limits.map(() => 0);
  let known: NodeLease[] = [];
  for (let client = 0; client < CLIENTS; client++) {
    if (client % every === 0) {
      known = real.map((connections, i) => {
        const changes: Partial<NodeRecord> = { connections, connectionLimit: limits[i] as number };
        return leaseOf(String(i), changes);
      });
    }
    const [first] = names(choose(known, { random }));
    if (first === undefined) return real;
    real[Number(first)] = (real[Number(first)] as number) + 1;
  }
  return real;
}

test('node choice: 10,000 clients spread over ten alike nodes within one in a hundred', (t) => {
  const spread = simulate(1, Array(NODES).fill(5_000), 7);
  t.is(
    spread.reduce((sum, each) => sum + each),
    CLIENTS,
  );
  t.true(Math.max(...spread) - Math.min(...spread) <= CLIENTS / NODES / 100, spread.join(' '));
});

test('node choice: with figures that are 500 clients old the spread stays within a quarter', (t) => {
  const spread = simulate(500, Array(NODES).fill(5_000), 11);
  t.true(Math.max(...spread) <= 1_250 && Math.min(...spread) >= 750, spread.join(' '));
});

test('node choice: nodes of different size fill alike', (t) => {
  const limits = Array.from({ length: NODES }, (_, i) => (i < 5 ? 1_000 : 2_000));
  const spread = simulate(1, limits, 13);
  const fills = spread.map((connections, i) => connections / (limits[i] as number));
  t.true(Math.max(...fills) - Math.min(...fills) <= 0.02, fills.join(' '));
});

test('node choice: a full node is never handed out, and when all are full nobody is', (t) => {
  const limits = Array.from({ length: NODES }, (_, i) => 10 * (i + 1));
  t.deepEqual(simulate(1, limits, 17), limits);
});

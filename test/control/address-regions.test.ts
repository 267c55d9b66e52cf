import test from 'ava';
import type { NodeConfig } from '../../config/index.js';
import { AddressRegions } from '../../control/address-regions.js';
import { drawDomains } from '../../control/domains.js';
import { seededRandom } from '../support/seeded-random.js';
import { leaseOf } from './fixtures.js';
import { choose, NO_CONTROL } from './node-question.js';

type Regions = NodeConfig['control']['regions'];

const region = (changes: Partial<Regions[string]>): Regions[string] => {
  return { fallback: [], domains: {}, cidrs: [], ...changes };
};

test('regions by address: the longest prefix wins, of both families', (t) => {
  const table = new AddressRegions({
    eu: region({ cidrs: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'] }),
    us: region({ cidrs: ['10.1.0.0/16', '2001:db8:1::/48'] }),
    asia: region({ cidrs: ['10.1.2.0/24'] }),
  });
  const found = (address: string) => table.find(address);
  t.deepEqual(['10.9.9.9', '10.1.9.9', '10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '192.0.2.8'].map(found), [
    'eu',
    'us',
    'asia',
    'asia',
    'eu',
    undefined,
  ]);
  t.deepEqual(['2001:db8::1', '2001:db8:1::1', '2001:db9::1', '', 'x'].map(found), [
    'eu',
    'us',
    undefined,
    undefined,
    undefined,
  ]);
  t.is(new AddressRegions({}).find('10.0.0.1'), undefined);
});

test('regions by address: a hint goes before the address, which goes before the node that is asked', (t) => {
  const regions = { eu: region({}), us: region({ fallback: ['eu'] }), asia: region({}) };
  const control = { ...NO_CONTROL, regions };
  const nodes = ['eu', 'us', 'asia'].map((name) => leaseOf(name, { region: name }));
  const chosen = (attributes: Record<string, string>, addressRegion?: string) => {
    const { regions: order, chosenRegions } = choose(nodes, { control, attributes, ownRegion: 'asia', addressRegion });
    return [order.by, ...chosenRegions];
  };
  t.deepEqual(chosen({ region: 'eu' }, 'us'), ['hint', 'eu']);
  t.deepEqual(chosen({ region: 'mars' }, 'us'), ['address', 'us']);
  t.deepEqual(chosen({}), ['node', 'asia']);
  // Nobody asked to be kept there.
  const only = choose([nodes[2] as (typeof nodes)[0]], { control, ownRegion: 'eu', addressRegion: 'us' });
  t.deepEqual(only.chosenRegions, ['asia']);
});

test('pools: the next one counts when no node of a pool takes the client', (t) => {
  const nodes = [leaseOf('a'), leaseOf('b', { pool: 'canary' }), leaseOf('c', { pool: 'spare' })];
  const names = (pools: readonly string[], leases = nodes) => {
    const { rounds, chosenPool, nodes: verdicts } = choose(leases, { pools });
    return [
      chosenPool,
      rounds.map(({ taken }) => taken.name).join(),
      verdicts.map(({ leftOut = '' }) => leftOut).join(),
    ];
  };
  t.deepEqual(names(['default']), ['default', 'a', ',other-pool,other-pool']);
  t.deepEqual(names(['canary', 'default']), ['canary', 'b', 'other-pool,,other-pool']);
  const full = [leaseOf('a'), leaseOf('b', { pool: 'canary', connections: 1_000 })];
  t.deepEqual(names(['canary', 'default'], full), ['default', 'a', ',full']);
  t.deepEqual(names(['nowhere']), [undefined, '', 'other-pool,other-pool,other-pool']);
});

test('pools: a pool that somebody decided goes before a nearer node', (t) => {
  const nodes = [leaseOf('near'), leaseOf('far', { region: 'far', pool: 'canary' })];
  t.deepEqual(choose(nodes, { pools: ['canary', 'default'] }).chosenRegions, ['far']);
});

test("pools: a region's domains stand for the pools of everybody, not for one apart", (t) => {
  const regions = { default: region({ domains: { tcp: 'lb.example.com:7100' } }) };
  const control = { ...NO_CONTROL, regions };
  const nodes = [leaseOf('a'), leaseOf('b', { pool: 'canary' })];
  t.deepEqual([...choose(nodes, { control }).domains.keys()], ['default']);
  t.is(choose(nodes, { control, pools: ['canary', 'default'] }).domains.size, 0);
});

test('domains: named first as often as their weights say, and all of them', (t) => {
  const regions = {
    eu: region({
      domains: {
        wss: [
          { address: 'a:1', weight: 3 },
          { address: 'b:1', weight: 1 },
        ],
        tcp: 'c:1',
      },
    }),
  };
  const random = seededRandom(7);
  let first = 0;
  const TIMES = 4_000;
  for (let i = 0; i < TIMES; i++) {
    const { wss = [], tcp } = drawDomains(['eu', 'constructor'], regions, random).get('eu') ?? {};
    t.deepEqual([[...wss].sort(), tcp], [['a:1', 'b:1'], ['c:1']]);
    if (wss[0] === 'a:1') first += 1;
  }
  t.true(Math.abs(first - TIMES * 0.75) < 6 * Math.sqrt(TIMES * 0.75 * 0.25), `${first}`);
});

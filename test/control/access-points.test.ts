import test from 'ava';
import type { NodeLease } from '../../cluster/index.js';
import type { NodeConfig } from '../../config/index.js';
import { accessPointsOf } from '../../control/access-points.js';
import { leaseOf } from './fixtures.js';
import { choose, NO_CONTROL } from './node-question.js';

type Regions = NodeConfig['control']['regions'];

/** Draws the first and the next, so that alike nodes are named in the order in which they stand. */
function answer(nodes: readonly NodeLease[], regions: Regions = {}, attributes: Record<string, string> = {}) {
  return accessPointsOf(choose(nodes, { control: { ...NO_CONTROL, regions }, attributes, random: () => 0 }));
}

test('access points: per protocol the chosen nodes that offer it, in the order chosen', (t) => {
  const nodes = [
    leaseOf('a', { accessPoints: { tcp: 'a:1', ws: 'a:2' } }),
    leaseOf('b', { accessPoints: { tls: 'b:3', tcp: 'b:1' } }),
    leaseOf('c', { accessPoints: { wss: 'c:4' } }),
  ];
  t.deepEqual(answer(nodes), {
    accessPoints: {
      tls: ['b:3'],
      wss: ['wss://c:4/connect'],
      tcp: ['a:1', 'b:1'],
      ws: ['ws://a:2/connect'],
    },
    protocols: ['tls', 'wss', 'tcp', 'ws'],
  });
});

test('access points: nodes behind one advertised address are one', (t) => {
  const accessPoints = { tcp: 'link.example.com:7100' };
  t.deepEqual(answer([leaseOf('a', { accessPoints }), leaseOf('b', { accessPoints })]).accessPoints, {
    tcp: ['link.example.com:7100'],
  });
});

test("access points: a region's domain stands in place of its nodes, of that protocol only", (t) => {
  const regions: Regions = {
    default: { fallback: [], cidrs: [], domains: { wss: 'eu.example.com:443', tcp: 'eu.example.com:7100' } },
  };
  t.deepEqual(answer([leaseOf('a'), leaseOf('b')], regions), {
    accessPoints: {
      wss: ['wss://eu.example.com:443/connect'],
      tcp: ['eu.example.com:7100'],
      ws: ['ws://a:7101/connect', 'ws://b:7101/connect'],
    },
    protocols: ['wss', 'tcp', 'ws'],
  });
});

test('access points: a domain is no use when no node of the region takes clients', (t) => {
  const regions: Regions = { default: { fallback: [], cidrs: [], domains: { tcp: 'eu.example.com:7100' } } };
  t.throws(() => answer([leaseOf('a', { draining: true })], regions), { code: 'TRK_NOT_READY' });
});

test('access points: no node at all, and none that speaks what the client does', (t) => {
  t.throws(() => answer([]), { code: 'TRK_NOT_READY' });
  t.throws(() => answer([leaseOf('a', { connections: 1_000 })]), { code: 'TRK_NOT_READY' });
  const raw = leaseOf('a', { accessPoints: { tcp: 'a:1' } });
  t.throws(() => answer([raw], {}, { platform: 'web' }), { code: 'TRK_NO_ACCESS_POINT' });
});

/** Where the clients of a node that goes are sent. */
import test from 'ava';
import { DrainTargetPicker, drainTargets } from '../../cluster/drain-targets.js';
import { LEASE_MS, leaseOf } from './membership/fixtures.js';

const question = { incarnation: 'incarnation-of-a', region: 'eu', regions: {} };
const names = (targets: readonly { name: string }[]) => targets.map(({ name }) => name);

test('drain targets: other nodes that live, serve, stay and have room', (t) => {
  const leases = [
    leaseOf('a', LEASE_MS, { region: 'eu' }),
    leaseOf('good', LEASE_MS, { region: 'eu' }),
    leaseOf('lapsed', 0, { region: 'eu' }),
    leaseOf('draining', LEASE_MS, { region: 'eu', draining: true }),
    leaseOf('starting', LEASE_MS, { region: 'eu', accessPoints: {} }),
    leaseOf('crashed', LEASE_MS, { region: 'eu', workers: [0, -1] }),
    leaseOf('full', LEASE_MS, { region: 'eu', connections: 1_000 }),
    leaseOf('overloaded', LEASE_MS, { region: 'eu', load: 1 }),
  ];
  t.deepEqual(names(drainTargets(leases, question)), ['good']);
  t.deepEqual(names(drainTargets(leases, { ...question, preferNode: 'full' })), []);
});

test('drain targets: nodes of the same region first, others when there is none', (t) => {
  const near = leaseOf('near', LEASE_MS, { region: 'eu' });
  const far = leaseOf('far', LEASE_MS, { region: 'us' });
  t.deepEqual(names(drainTargets([near, far], question)), ['near']);
  t.deepEqual(names(drainTargets([far], question)), ['far']);
  t.deepEqual(names(drainTargets([near, far], { ...question, preferNode: 'far' })), ['far']);
});

test('drain targets: a region’s domain stands before its nodes', (t) => {
  const regions = { eu: { fallback: [], cidrs: [], domains: { ws: 'eu.example.com:443' } } };
  const [target] = drainTargets([leaseOf('near', LEASE_MS, { region: 'eu' })], { ...question, regions });
  t.deepEqual(target?.accessPoints, { tcp: 'near:7100', ws: 'eu.example.com:443' });
});

test('drain targets: the least loaded is named, and those already sent there count', (t) => {
  const leases = [
    leaseOf('b', LEASE_MS, { connections: 100 }),
    leaseOf('c', LEASE_MS, { connections: 102 }),
    leaseOf('busy', LEASE_MS, { connections: 0, load: 0.5 }),
  ];
  const picker = new DrainTargetPicker(drainTargets(leases, question), 2);
  t.deepEqual(
    Array.from({ length: 4 }, () => picker.next('tcp')),
    ['b:7100', 'b:7100', 'c:7100', 'b:7100'].map((at) => at),
  );
  t.is(picker.next('tls'), '');
});

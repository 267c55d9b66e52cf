/** Who clears away what a gone node left, and what happens when that fails half way. */
import test from 'ava';
import { Sweeper } from '../../../cluster/membership/index.js';
import { captureLog } from '../../support/log-capture.js';
import { FakeClock, LEASE_MS, membershipOn, recordOf } from './fixtures.js';

const GONE = 'incarnation-of-b';

async function goneNode() {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  await membership.renew(recordOf('b'), LEASE_MS);
  clock.advance(LEASE_MS * 2);
  return membership;
}

function sweeperOn(membership: Awaited<ReturnType<typeof goneNode>>, sweep: () => Promise<number>) {
  const swept: number[] = [];
  const { log, entries, text } = captureLog();
  const onSwept = (routes: number) => swept.push(routes);
  const sweeper = new Sweeper({ membership, sweep, retryMs: 60_000, log, onSwept });
  return { sweeper, swept, entries, text };
}

test('sweeper: one of two survivors sweeps, and takes the node off', async (t) => {
  const membership = await goneNode();
  const first = sweeperOn(membership, async () => 7);
  const second = sweeperOn(membership, async () => 7);
  const turns = await Promise.all([first.sweeper.take(GONE, 'b'), second.sweeper.take(GONE, 'b')]);
  t.deepEqual(turns.toSorted(), [false, true]);
  t.deepEqual([...first.swept, ...second.swept], [7]);
  t.deepEqual(await membership.list(), []);
});

test('sweeper: a node whose lease stands is left alone', async (t) => {
  const membership = await goneNode();
  await membership.renew(recordOf('b'), LEASE_MS);
  const { sweeper, swept } = sweeperOn(membership, async () => 7);
  t.false(await sweeper.take(GONE, 'b'));
  t.deepEqual(swept, []);
});

test('sweeper: what fails is logged and tried again, under the same word', async (t) => {
  const membership = await goneNode();
  let isBroken = true;
  const { sweeper, swept, text } = sweeperOn(membership, async () => {
    if (isBroken) throw new Error('engine is away');
    return 3;
  });
  t.false(await sweeper.take(GONE, 'b'));
  t.regex(text(), /what a gone node left could not be swept/);
  isBroken = false;
  t.true(await sweeper.take(GONE, 'b'));
  t.deepEqual(swept, [3]);
});

import test from 'ava';
import fc from 'fast-check';
import { DownstreamScheduler, type FanOut, type Lane } from '../../actors/downstream-scheduler.js';
import { Group, type GroupMember } from '../../actors/group.js';
import type { LoadMeter } from '../../actors/load-meter.js';
import { RAW_ENVELOPE } from '../../transports/index.js';
import { testBusiness } from '../support/test-business.js';
import { turns, until } from '../support/until.js';

/** A clock that moves with every look at it, so that a turn's slices are counted and not timed. */
function scheduler({ load = 0, msPerLook = 0.1 } = {}): DownstreamScheduler {
  let nowMs = 0;
  const now = () => {
    nowMs += msPerLook;
    return nowMs;
  };
  return new DownstreamScheduler({ load: () => load } as unknown as LoadMeter, now);
}

/** A fan-out of one round. */
class Round implements FanOut {
  isUrgent = false;
  served = 0;
  begins = 0;
  readonly turnsSeen = new Set<number>();
  constructor(
    readonly members: number,
    readonly onSlice: (served: number) => void = () => {},
  ) {}
  begin(): void {
    this.begins += 1;
  }
  runSlice(maxMembers: number, turn: number): number {
    const count = Math.min(maxMembers, this.members - this.served);
    this.served += count;
    this.turnsSeen.add(turn);
    this.onSlice(count);
    return count;
  }
  get isRoundOver(): boolean {
    return this.served === this.members;
  }
  hasMore(): boolean {
    return false;
  }
}

test('downstream scheduler: businesses share by weight while both have work', async (t) => {
  const downstream = scheduler();
  const lanes = [10, 30].map((weight) => downstream.addLane({ weight, maxWindowMs: 0 }));
  const shares: [number, number][] = [];
  const light = new Round(60_000);
  const heavy: Round = new Round(60_000, () => shares.push([light.served, heavy.served]));
  lanes[0]?.submit(light);
  lanes[1]?.submit(heavy);
  await until(() => heavy.isRoundOver && light.isRoundOver);
  for (const [ten, thirty] of shares) t.true(Math.abs(3 * ten - thirty) <= 480, `${ten} : ${thirty}`);
});

test('downstream scheduler: a business whose fan-outs are small is not outrun by one whose are large', async (t) => {
  const downstream = scheduler();
  const [small, large] = [1, 2].map(() => downstream.addLane({ weight: 10, maxWindowMs: 0 })) as [Lane, Lane];
  const giant = new Round(100_000);
  let servedMeanwhile = 0;
  const few = Array.from(
    { length: 50 },
    () =>
      new Round(10, () => {
        servedMeanwhile = giant.served;
      }),
  );
  large.submit(giant);
  for (const round of few) small.submit(round);
  await until(() => few.every((round) => round.isRoundOver) && giant.isRoundOver);
  t.true(servedMeanwhile <= 50 * 10 + 160, `${servedMeanwhile}`);
});

test('downstream scheduler: a unicast leaves between the slices of a fan-out to 100,000 members', async (t) => {
  const downstream = scheduler();
  const lane = downstream.addLane({ weight: 10, maxWindowMs: 0 });
  const flushedAt: number[] = [];
  const giant: Round = new Round(100_000, () => {
    if (giant.served === 160) downstream.markDirty({ flush: () => void flushedAt.push(giant.served) });
  });
  lane.submit(giant);
  await until(() => giant.isRoundOver);
  t.is(flushedAt.length, 1);
  t.true((flushedAt[0] as number) < 5_000, `${flushedAt}`);
  t.true(giant.turnsSeen.size > 20);
});

test('downstream scheduler: what is urgent waits for no window and goes before its own business, not before others', async (t) => {
  const downstream = scheduler({ load: 1 });
  const lane = downstream.addLane({ weight: 1, maxWindowMs: 1 });
  const other = downstream.addLane({ weight: 1, maxWindowMs: 1 });
  const giant = new Round(5_000);
  const rival = new Round(5_000);
  lane.submit(giant);
  other.submit(rival);
  await until(() => giant.served > 0 && rival.served > 0);
  const seen: [giant: number, rival: number][] = [];
  const urgent: Round = new Round(320, () => seen.push([giant.served, rival.served]));
  urgent.isUrgent = true;
  const [giantBefore, rivalBefore] = [giant.served, rival.served];
  lane.submit(urgent);
  t.is(urgent.begins, 1);
  await until(() => urgent.isRoundOver);
  t.deepEqual([...new Set(seen.map(([served]) => served))], [giantBefore], 'its own business waits');
  t.true((seen.at(-1)?.[1] as number) >= rivalBefore + 16 * (seen.length - 1), 'the other has its turns');
  await until(() => giant.isRoundOver && rival.isRoundOver);
});

test('downstream scheduler: a fan-out that becomes urgent is put in front, gathered or waiting', async (t) => {
  const downstream = scheduler({ load: 1 });
  const lane = downstream.addLane({ weight: 10, maxWindowMs: 200 });
  const order: string[] = [];
  const named = (name: string) => new Round(1, () => order.push(name));
  const [first, second, third] = [named('first'), named('second'), named('third')];
  for (const one of [first, second, third]) lane.submit(one);
  third.isUrgent = true;
  lane.hurry(third);
  t.deepEqual([first.begins, third.begins], [0, 1]);
  await turns(2);
  t.deepEqual(order, ['third']);
  await until(() => second.isRoundOver);
  t.deepEqual(order, ['third', 'first', 'second']);

  const direct = downstream.addLane({ weight: 10, maxWindowMs: 0 });
  const waiting = [named('a'), named('b'), named('c')] as const;
  for (const one of waiting) direct.submit(one);
  direct.hurry(waiting[2]);
  direct.hurry(waiting[2]);
  await turns(2);
  t.deepEqual(order.slice(3), ['c', 'a', 'b']);
  t.is(waiting[2].begins, 1);
});

test('downstream scheduler: each dirty connection is flushed once, with the same turn', async (t) => {
  const downstream = scheduler();
  const flushes: [string, number][] = [];
  for (const name of 'abc') downstream.markDirty({ flush: (turn) => void flushes.push([name, turn]) });
  t.deepEqual(flushes, []);
  await turns(2);
  const turn = flushes[0]?.[1] as number;
  t.deepEqual(flushes, [
    ['a', turn],
    ['b', turn],
    ['c', turn],
  ]);
  downstream.markDirty({ flush: (later) => void flushes.push(['again', later]) });
  await turns(2);
  t.true((flushes[3]?.[1] as number) > turn);
});

test('downstream scheduler: an idle worker does not wait, a busy one gathers for the window', async (t) => {
  const idle = scheduler({ load: 0 }).addLane({ weight: 10, maxWindowMs: 1_000 });
  const round = new Round(1);
  idle.submit(round);
  t.is(round.begins, 1);

  const busy = scheduler({ load: 1 }).addLane({ weight: 10, maxWindowMs: 500 });
  const gathered = [new Round(1), new Round(1)];
  const startMs = performance.now();
  for (const one of gathered) busy.submit(one);
  await turns(2);
  t.deepEqual(
    gathered.map(({ begins }) => begins),
    [0, 0],
  );
  await until(() => gathered.every((one) => one.isRoundOver));
  t.true(performance.now() - startMs >= 499);
  t.deepEqual(
    gathered.map(({ begins }) => begins),
    [1, 1],
  );
});

test('downstream scheduler: stop forgets the turn and the windows that were to come', async (t) => {
  const downstream = scheduler({ load: 1 });
  const lane = downstream.addLane({ weight: 10, maxWindowMs: 1 });
  const round = new Round(1);
  let flushes = 0;
  lane.submit(round);
  downstream.markDirty({
    flush: () => {
      flushes += 1;
    },
  });
  downstream.stop();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.deepEqual([flushes, round.begins], [0, 0]);
});

class Member implements GroupMember {
  readonly envelope = RAW_ENVELOPE;
  text = '';
  deliverShared(wire: Uint8Array): void {
    this.text += Buffer.from(wire).toString();
  }
  membershipEnded(): void {}
}

const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ publish: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ turns: fc.integer({ min: 1, max: 3 }) }) },
);

test('downstream scheduler: whatever is published arrives at every member once and in order', async (t) => {
  const run = fc.asyncProperty(
    fc.array(action, { maxLength: 60 }),
    fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 4, maxLength: 4 }),
    fc.constantFrom(0, 1),
    async (actions, sizes, load) => {
      const downstream = scheduler({ load });
      const lanes = [
        downstream.addLane({ weight: 1, maxWindowMs: 1 }),
        downstream.addLane({ weight: 3, maxWindowMs: 0 }),
      ];
      const settled: number[] = [];
      const groups = sizes.map((size, i) => {
        const business = testBusiness({ lane: lanes[i % 2] as Lane });
        const ports = {
          settle: (pushId: number) => void settled.push(pushId),
          delivered: () => {},
          expired: () => {},
          changed: () => {},
          now: () => 0,
        };
        const group = new Group(business, `room-${i}`, { epoch: 'e', offset: 0 }, ports);
        const members = Array.from({ length: size }, () => new Member());
        for (const member of members) group.join(member);
        return { group, members, published: '' };
      });
      let published = 0;
      for (const one of actions) {
        if ('turns' in one) {
          await turns(one.turns);
          continue;
        }
        const { [one.publish]: target } = groups;
        if (target === undefined) continue;
        const text = `${published++},`;
        target.published += text;
        target.group.publish(Buffer.from(text), published, published);
      }
      await until(() => settled.length === published);
      return groups.every((target) => target.members.every(({ text }) => text === target.published));
    },
  );
  await fc.assert(run, { numRuns: 60 });
  t.pass();
});

import test from 'ava';
import { DeliveryFlag, type DeliveryOptions } from '../../actors/delivery-options.js';
import type { Lane } from '../../actors/downstream-scheduler.js';
import { Group, type GroupMember } from '../../actors/group.js';
import { OutcomeCode } from '../../actors/outcome-batch.js';
import { type Envelope, RAW_ENVELOPE, WEBSOCKET_ENVELOPE } from '../../transports/index.js';
import { testBusiness } from '../support/test-business.js';

const OVERLOAD_BYTES = 8 * 1024 * 1024;

class Member implements GroupMember {
  readonly wires: Uint8Array[] = [];
  ended = 0;
  constructor(
    readonly envelope: Envelope = RAW_ENVELOPE,
    readonly onWire: (member: Member) => void = () => {},
  ) {}
  get text(): string {
    return Buffer.concat(this.wires).toString();
  }
  /** Of each piece. */
  readonly options: DeliveryOptions[] = [];
  texts(): string[] {
    return this.wires.map((wire) => Buffer.from(wire).toString());
  }
  deliverShared(wire: Uint8Array, source: Group): void {
    this.wires.push(wire);
    this.options.push(source.roundOptions);
    this.onWire(this);
  }
  membershipEnded(): void {
    this.ended += 1;
  }
}

function create(...members: Member[]) {
  const submitted: Group[] = [];
  const settled: [number, OutcomeCode, number][] = [];
  const counts = { delivered: 0, expired: 0, changed: 0 };
  const hurried: Group[] = [];
  const lane = {
    submit: (group: Group) => void submitted.push(group),
    hurry: (group: Group) => void hurried.push(group),
  } as unknown as Lane;
  let nowMs = 0;
  const group = new Group(
    testBusiness({ lane }),
    'room',
    { epoch: 'e1', offset: 5 },
    {
      settle: (pushId, code, reached) => void settled.push([pushId, code, reached]),
      delivered: (messages) => {
        counts.delivered += messages;
      },
      expired: () => {
        counts.expired += 1;
      },
      changed: () => {
        counts.changed += 1;
      },
      now: () => nowMs,
    },
  );
  for (const member of members) group.join(member);
  const round = (slice = 1_000) => {
    group.begin();
    let served = 0;
    while (!group.isRoundOver) served += group.runSlice(slice, 1);
    return served;
  };
  const at = (ms: number) => {
    nowMs = ms;
  };
  return { group, submitted, hurried, settled, counts, round, at };
}

test('group: a round is wrapped once per kind of wire, and every member is handed the same bytes', (t) => {
  let wraps = 0;
  const counting: Envelope = {
    ...WEBSOCKET_ENVELOPE,
    wrap: (bytes) => {
      wraps += 1;
      return WEBSOCKET_ENVELOPE.wrap(bytes);
    },
  };
  const members = [new Member(), new Member(counting), new Member(), new Member(counting), new Member(counting)];
  const { group, round } = create(...members);
  group.publish(Buffer.from('a'), 6, 1);
  group.publish(Buffer.from('b'), 7, 2);
  round(2);
  t.is(wraps, 1);
  const [raw, ws] = [members[0]?.wires[0], members[1]?.wires[0]];
  t.is(Buffer.from(raw ?? []).toString(), 'ab');
  t.is(Buffer.from(ws ?? []).toString('latin1'), '\x82\x02ab');
  for (const member of members) t.is(member.wires[0], member.envelope === counting ? ws : raw);
});

test('group: a single frame is not copied for raw links', (t) => {
  const member = new Member();
  const { group, round } = create(member);
  const frame = Buffer.from('frame');
  group.publish(frame, 6, 0);
  round();
  t.is(member.wires[0], frame);
});

test('group: the outcome comes when the round that carried the message is over', (t) => {
  const { group, settled, counts } = create(new Member(), new Member(), new Member());
  group.publish(Buffer.from('a'), 6, 41);
  group.publish(Buffer.from('b'), 7, 42);
  group.begin();
  t.is(group.roundMessages, 2);
  t.is(group.runSlice(2, 1), 2);
  t.deepEqual(settled, []);
  t.is(group.runSlice(2, 1), 1);
  t.deepEqual(settled, [
    [41, OutcomeCode.delivered, 3],
    [42, OutcomeCode.delivered, 3],
  ]);
  t.is(counts.delivered, 6);
  t.true(group.isRoundOver);
  t.is(group.offset, 7);
});

test('group: is submitted once, and says when more has come meanwhile', (t) => {
  const member = new Member();
  const { group, submitted, round } = create(member, new Member());
  group.publish(Buffer.from('a'), 6, 1);
  group.publish(Buffer.from('b'), 7, 2);
  t.is(submitted.length, 1);
  group.begin();
  group.runSlice(1, 1);
  group.publish(Buffer.from('c'), 8, 3);
  t.is(submitted.length, 1, 'the lane asks hasMore when the round is over');
  t.true(group.hasMore());
  group.runSlice(1, 1);
  t.true(group.hasMore());
  round();
  t.false(group.hasMore());
  t.is(member.text, 'abc');
  group.publish(Buffer.from('d'), 9, 4);
  t.is(submitted.length, 2);
});

test('group: who joins during a round is served from the next, who leaves is served no more', (t) => {
  const late = new Member();
  const leaver = new Member();
  const first = new Member(RAW_ENVELOPE, () => {
    group.join(late);
    group.leave(leaver);
  });
  const { group, round, settled } = create(first, leaver, new Member());
  group.publish(Buffer.from('a'), 6, 1);
  t.is(round(1), 3);
  t.deepEqual([late.text, leaver.text], ['', '']);
  group.publish(Buffer.from('b'), 7, 2);
  round();
  t.deepEqual([first.text, late.text, leaver.text], ['ab', 'b', '']);
  t.is(settled.at(-1)?.[2], 3);
});

test('group: a round that everybody left ends as well', (t) => {
  const member = new Member();
  const { group, round, settled } = create(member);
  group.publish(Buffer.from('a'), 6, 1);
  group.leave(member);
  round();
  t.deepEqual(settled, [[1, OutcomeCode.delivered, 0]]);
  t.is(member.text, '');
});

test('group: without members there is nothing to do but to report', (t) => {
  const { group, settled, submitted } = create();
  group.publish(Buffer.from('a'), 6, 1);
  t.deepEqual(settled, [[1, OutcomeCode.delivered, 0]]);
  t.is(group.offset, 6);
  t.deepEqual(submitted, []);
});

test('group: a round is bounded, what is above it waits for the next', (t) => {
  const member = new Member();
  const { group, round } = create(member);
  const frame = Buffer.alloc(100 * 1024);
  for (let i = 0; i < 5; i++) group.publish(frame, 6 + i, 0);
  round();
  t.is(member.text.length, 2 * frame.length);
  t.true(group.hasMore());
  round();
  round();
  t.false(group.hasMore());
  t.is(member.text.length, 5 * frame.length);
});

test('group: what cannot wait any more is refused as overload, and room comes back with the rounds', (t) => {
  const { group, settled, round } = create(new Member());
  const frame = Buffer.alloc(1024 * 1024);
  for (let pushId = 1; pushId <= OVERLOAD_BYTES / frame.length; pushId++) group.publish(frame, 5 + pushId, pushId);
  t.deepEqual(settled, []);
  group.publish(frame, 100, 99);
  t.deepEqual(settled, [[99, OutcomeCode.overloaded, 0]]);
  round();
  group.publish(frame, 101, 100);
  t.is(settled.filter(([, code]) => code === OutcomeCode.overloaded).length, 1);
});

test('group: dissolve tells every member once and empties the group', (t) => {
  const members = [new Member(), new Member()];
  const { group, counts } = create(...members);
  const changedBefore = counts.changed;
  group.dissolve();
  t.deepEqual(
    members.map(({ ended }) => ended),
    [1, 1],
  );
  t.is(group.size, 0);
  t.is(counts.changed, changedBefore + 1);
  t.false(group.leave(members[0] as Member));
});

test('group: joining and leaving twice changes nothing', (t) => {
  const member = new Member();
  const { group, counts } = create();
  t.deepEqual([group.join(member), group.join(member), group.has(member)], [true, false, true]);
  t.deepEqual([group.leave(member), group.leave(member), group.has(member)], [true, false, false]);
  t.is(counts.changed, 2);
});

const options = (flags: number, dueMs = 0) => ({ flags, dueMs });
const frame = (text: string) => Buffer.from(text);

test('group: a round holds messages of one kind of options, and says which', (t) => {
  const member = new Member();
  const { group, round, settled } = create(member);
  const [droppable, late] = [options(DeliveryFlag.droppable), options(0, 5_000)];
  group.publish(frame('a'), 6, 1);
  group.publish(frame('b'), 7, 2);
  group.publish(frame('c'), 8, 3, droppable);
  group.publish(frame('d'), 9, 4, { ...droppable });
  group.publish(frame('e'), 10, 5, late);
  group.publish(frame('f'), 11, 6, options(0, 5_080));
  group.publish(frame('g'), 12, 7, options(0, 9_000));
  const rounds: number[] = [];
  while (group.hasMore()) {
    round();
    rounds.push(settled.length);
  }
  t.deepEqual(rounds, [2, 4, 6, 7]);
  t.deepEqual(member.texts(), ['ab', 'cd', 'ef', 'g']);
  t.deepEqual(member.options, [options(0), droppable, late, options(0, 9_000)]);
});

test('group: a message whose time is over before its round is not sent, and told as expired', (t) => {
  const member = new Member();
  const { group, round, settled, counts, submitted, at } = create(member);
  group.publish(frame('a'), 6, 1, options(0, 50));
  group.publish(frame('b'), 7, 2);
  at(50);
  round();
  t.deepEqual(member.texts(), ['b']);
  t.deepEqual(settled, [
    [1, OutcomeCode.expired, 0],
    [2, OutcomeCode.delivered, 1],
  ]);
  t.is(counts.expired, 1);
  group.publish(frame('c'), 8, 3, options(0, 60));
  at(60);
  group.begin();
  group.publish(frame('d'), 9, 4);
  t.is(submitted.length, 2, 'its turn is still to come');
  t.is(group.runSlice(10, 1), 0);
  t.true(group.isRoundOver && group.hasMore());
  round();
  t.deepEqual(member.texts(), ['b', 'd']);
});

test('group: is urgent while it holds an urgent message, and asks once to be put in front', (t) => {
  const { group, round, hurried, submitted } = create(new Member());
  group.publish(frame('a'), 6, 1);
  t.false(group.isUrgent);
  group.publish(frame('B'), 7, 2, options(DeliveryFlag.high));
  group.publish(frame('C'), 8, 3, options(DeliveryFlag.high));
  t.true(group.isUrgent);
  t.deepEqual([submitted.length, hurried.length], [1, 1]);
  round();
  t.true(group.isUrgent, 'its offsets keep their order, so what came before goes along');
  round();
  t.false(group.isUrgent);
  t.false(group.hasMore());
});

import test from 'ava';
import { OutcomeCode } from '../../actors/delivery-batch.js';
import type { Lane } from '../../actors/downstream-scheduler.js';
import { Group, type GroupMember } from '../../actors/group.js';
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
  deliverShared(wire: Uint8Array): void {
    this.wires.push(wire);
    this.onWire(this);
  }
  membershipEnded(): void {
    this.ended += 1;
  }
}

function create(...members: Member[]) {
  const submitted: Group[] = [];
  const settled: [number, OutcomeCode, number][] = [];
  const counts = { delivered: 0, changed: 0 };
  const lane = { submit: (group: Group) => void submitted.push(group) } as unknown as Lane;
  const group = new Group(
    testBusiness({ lane }),
    'room',
    { epoch: 'e1', offset: 5 },
    {
      settle: (pushId, code, reached) => void settled.push([pushId, code, reached]),
      delivered: (messages) => {
        counts.delivered += messages;
      },
      changed: () => {
        counts.changed += 1;
      },
    },
  );
  for (const member of members) group.join(member);
  const round = (slice = 1_000) => {
    group.begin();
    let served = 0;
    while (!group.isRoundOver) served += group.runSlice(slice, 1);
    return served;
  };
  return { group, submitted, settled, counts, round };
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

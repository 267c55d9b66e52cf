import test from 'ava';
import type { Group, GroupMember } from '../../actors/group.js';
import { GroupDirectory } from '../../actors/group-directory.js';
import { type GroupSize, type GroupStream, RouterLink } from '../../actors/router-link.js';
import { WorkerCounters } from '../../actors/worker-counters.js';
import { RAW_ENVELOPE } from '../../transports/index.js';
import { testBusiness } from '../support/test-business.js';
import { turns } from '../support/until.js';

class Member implements GroupMember {
  readonly envelope = RAW_ENVELOPE;
  readonly joined: Group[] = [];
  text = '';
  isGone = false;
  deliverShared(wire: Uint8Array): void {
    this.text += Buffer.from(wire).toString();
  }
  membershipEnded(): void {}
}

type Reply = GroupStream | undefined | Error;

function directory() {
  const asks: { group: string; create: boolean; reply: (stream: Reply) => void }[] = [];
  const sizes: GroupSize[] = [];
  const actors: string[] = [];
  const sendAndReceive = (_topic: string, message: object) =>
    new Promise((resolve, reject) => {
      const { group, create } = message as { group: string; create: boolean };
      const reply = (stream: Reply) => (stream instanceof Error ? reject(stream) : resolve({ stream }));
      asks.push({ group, create, reply });
    });
  const send = (topic: string, message: object) => {
    if (topic === 'groupSizes') sizes.push(...(message as { sizes: GroupSize[] }).sizes);
    return Promise.resolve();
  };
  const groups = new GroupDirectory(
    new RouterLink(0, { send, sendAndReceive }, () => {}),
    { adopt: ({ name }) => void actors.push(`+${name}`), release: ({ name }) => void actors.push(`-${name}`) },
    new WorkerCounters(),
    () => 0,
  );
  const business = testBusiness();
  const join = (member: Member, name = 'room', create = false) =>
    groups.join(business, name, member, {
      create,
      isStillWanted: () => !member.isGone,
      onJoin: (group) => void member.joined.push(group),
    });
  const publish = (text: string, offset: number) => {
    const item = { kind: 'multicast', pushId: 0, businessId: business.id, flags: 0, expiresAtMs: 0 } as const;
    groups.publish({ ...item, group: 'room', offset, frame: Buffer.from(text) });
  };
  return { groups, business, asks, sizes, actors, join, publish };
}

const STREAM = { epoch: 'e1', offset: 5 };

test('group directory: the first join asks the router once, however many come meanwhile', async (t) => {
  const { asks, join, sizes, actors, groups } = directory();
  const members = [new Member(), new Member(), new Member()];
  const joins = members.map((member) => join(member));
  await turns(2);
  t.is(asks.length, 1);
  asks[0]?.reply(STREAM);
  const results = await Promise.all(joins);
  t.true(results.every((result) => result.joined && result.isNew && result.group === members[0]?.joined[0]));
  t.deepEqual([members[0]?.joined[0]?.epoch, members[0]?.joined[0]?.offset], ['e1', 5]);
  const again = await join(new Member());
  t.true(again.joined);
  t.is(asks.length, 1);
  await turns(2);
  t.is(sizes.at(-1)?.members, 4);
  t.deepEqual(actors, ['+room']);
  t.is(groups.size, 1);
});

test('group directory: joining again is no new membership', async (t) => {
  const { asks, join } = directory();
  const member = new Member();
  const first = join(member);
  asks[0]?.reply(STREAM);
  await first;
  const second = await join(member);
  t.true(second.joined && !second.isNew);
});

test('group directory: a multicast that comes while the router is asked moves the position on', async (t) => {
  const { asks, join, publish } = directory();
  const member = new Member();
  const joining = join(member);
  await turns(2);
  publish('six', 6);
  publish('seven', 7);
  asks[0]?.reply(STREAM);
  await joining;
  t.is(member.joined[0]?.offset, 7);
  publish('eight', 8);
  await turns();
  t.is(member.text, 'eight');
});

test('group directory: a group that does not exist is not joined, one that may be created says so', async (t) => {
  const { asks, join, groups, actors } = directory();
  const missing = join(new Member(), 'missing');
  const created = join(new Member(), 'created', true);
  await turns(2);
  t.deepEqual(
    asks.map(({ group, create }) => [group, create]),
    [
      ['missing', false],
      ['created', true],
    ],
  );
  asks[0]?.reply(undefined);
  asks[1]?.reply({ epoch: 'e2', offset: 0 });
  t.deepEqual(await missing, { joined: false });
  t.true((await created).joined);
  t.is(groups.size, 1);
  t.deepEqual(actors, ['+created']);
});

test('group directory: a router that fails fails the joins that asked, and is asked again', async (t) => {
  const { asks, join } = directory();
  const joins = [join(new Member()), join(new Member())];
  asks[0]?.reply(new Error('away'));
  const results = await Promise.allSettled(joins);
  t.true(results.every(({ status }) => status === 'rejected'));
  const later = join(new Member());
  t.is(asks.length, 2);
  asks[1]?.reply(STREAM);
  t.true((await later).joined);
});

test('group directory: when nobody wants to join any more, the router need not send', async (t) => {
  const { asks, join, groups, sizes, actors } = directory();
  const member = new Member();
  const joining = join(member);
  member.isGone = true;
  asks[0]?.reply(STREAM);
  t.deepEqual(await joining, { joined: false });
  await turns(2);
  t.deepEqual(sizes, [{ businessId: 7, group: 'room', members: 0 }]);
  t.is(groups.size, 0);
  t.deepEqual(actors, []);
});

test('group directory: one that leaves while the router is asked does not take the group from the others', async (t) => {
  const { asks, join, publish, groups, business, sizes, actors } = directory();
  const [gone, stays] = [new Member(), new Member()];
  const joins = [join(gone), join(stays)];
  gone.isGone = true;
  asks[0]?.reply(STREAM);
  const [first, second] = await Promise.all(joins);
  t.deepEqual([first?.joined, second?.joined], [false, true]);
  t.is(groups.find(business.id, 'room'), stays.joined[0]);
  publish('hello', 6);
  await turns();
  t.is(stays.text, 'hello');
  t.is(sizes.at(-1)?.members, 1);
  t.deepEqual(actors, ['+room']);
});

test('group directory: the last member takes the group with it', async (t) => {
  const { asks, join, groups, business, sizes, actors } = directory();
  const member = new Member();
  const joining = join(member);
  asks[0]?.reply(STREAM);
  await joining;
  member.joined[0]?.leave(member);
  await turns(2);
  t.is(groups.find(business.id, 'room'), undefined);
  t.is(sizes.at(-1)?.members, 0);
  t.deepEqual(actors, ['+room', '-room']);
  void join(member);
  t.is(asks.length, 2);
});

test('group directory: a server-side join needs no question, and dissolve ends the group', async (t) => {
  const { asks, groups, business, actors } = directory();
  const member = new Member();
  t.true(groups.joinAt(business, 'room', member, STREAM));
  t.false(groups.joinAt(business, 'room', member, STREAM));
  t.deepEqual(asks, []);
  groups.dissolve(business.id, 'room');
  groups.dissolve(business.id, 'unknown');
  t.is(groups.size, 0);
  t.deepEqual(actors, ['+room', '-room']);
});

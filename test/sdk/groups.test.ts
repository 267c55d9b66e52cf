import test from 'ava';
import { FrameType, GapReason, type PushFrame, Status } from '../../protocol/index.js';
import type { Push, TrunklineClient } from '../../sdk/index.js';
import type { Peer } from '../support/scripted-server.js';
import { allEvents, nextEvent, settled, startOnline } from './client-fixture.js';
import { ManualClock } from './manual-clock.js';

function push(fields: Partial<PushFrame> = {}): PushFrame {
  return { type: FrameType.push, businessId: 2, messageId: 'm-1', metadata: {}, payload: Buffer.from('hi'), ...fields };
}

const position = (epoch: string, offset: number) => ({ epoch, offset: String(offset) });

async function joined(client: TrunklineClient, peer: Peer, group = 'room', offset = 7) {
  const membership = client.business('live').join(group);
  const frame = await peer.next(FrameType.join);
  peer.respond(frame.requestId, 0, '', position('e1', offset));
  return { membership: await membership, frame };
}

function nextPush(client: TrunklineClient, business: string): Promise<Push> {
  return new Promise((resolve) => client.business(business).onPush(resolve));
}

test('push: reaches the listeners of its business with everything it carries', async (t) => {
  const { client, peer } = await startOnline(t);
  const other = client.business('im').onPush(() => t.fail('not for this business'));
  const pushed = nextPush(client, 'live');
  peer.send(push({ metadata: { k: 'v' }, payload: Buffer.from('{"a":1}') }));
  const got = await pushed;
  t.like(got, { messageId: 'm-1', group: undefined, offset: undefined });
  t.is(got.metadata['k'], 'v');
  t.deepEqual(got.json(), { a: 1 });
  other();
});

test('push: a listener that throws becomes an error event and keeps none from the others', async (t) => {
  const { client, peer } = await startOnline(t);
  const error = nextEvent(client, 'error');
  client.business('live').onPush(() => {
    throw new Error('listener');
  });
  const pushed = nextPush(client, 'live');
  peer.send(push(), push({ businessId: 99 }));
  await pushed;
  t.is((await error).error.message, 'listener');
});

test('push: a listener that was taken off hears nothing', async (t) => {
  const { client, peer } = await startOnline(t);
  const off = client.business('live').onPush(() => t.fail());
  off();
  const pushed = nextPush(client, 'live');
  peer.send(push());
  await pushed;
  t.pass();
});

test('push: one that wants an ACK gets it, up to where nothing is missing', async (t) => {
  const { client, peer } = await startOnline(t);
  const sequences = [1, 2, 4, 3];
  peer.send(...sequences.map((sequence) => push({ sequence })));
  for (const acked of [1, 2, 2, 3]) t.like(await peer.next(FrameType.ack), { businessId: 2, sequence: acked });
  t.is(client.state, 'online');
});

test('gap: a reason nobody knows counts as the slow consumer', async (t) => {
  const { client, peer } = await startOnline(t);
  const gap = nextEvent(client, 'gap');
  peer.send({ type: FrameType.gap, businessId: 2, group: '', dropped: 3, reason: 77 });
  t.like(await gap, { dropped: 3, reason: GapReason.slowConsumer });
});

test('group: join answers with epoch and offset, and the offset follows the pushes', async (t) => {
  const { client, peer } = await startOnline(t);
  const { membership, frame } = await joined(client, peer);
  t.like(frame, { businessId: 2, group: 'room', recover: undefined });
  t.like(membership, { group: 'room', epoch: 'e1', offset: 7, active: true });
  const pushed = nextPush(client, 'live');
  peer.send(push({ multicast: { group: 'room', offset: 8 } }));
  t.like(await pushed, { group: 'room', offset: 8 });
  t.is(membership.offset, 8);
});

test('group: a join that is refused throws and is not tried again', async (t) => {
  const { server, client, peer } = await startOnline(t);
  const refused = client.business('live').join('secret');
  peer.respond((await peer.next(FrameType.join)).requestId, Status.permissionDenied);
  await t.throwsAsync(refused, { code: 'TRK_REQUEST_FAILED' });
  peer.cut();
  const next = await server.accept();
  await next.login();
  const answer = client.business('im').request('x');
  next.respond((await next.next(FrameType.request)).requestId);
  await t.notThrowsAsync(answer);
});

test('group: leave tells the server and ends the membership', async (t) => {
  const { client, peer } = await startOnline(t);
  const { membership } = await joined(client, peer);
  const left = membership.leave();
  const frame = await peer.next(FrameType.leave);
  t.like(frame, { businessId: 2, group: 'room' });
  t.false(membership.active);
  peer.respond(frame.requestId);
  await t.notThrowsAsync(left);
});

test('group: leaving what the server has ended in the same moment is no error, leaving what was never joined is', async (t) => {
  const { client, peer } = await startOnline(t);
  const { membership } = await joined(client, peer);
  const left = membership.leave();
  peer.respond((await peer.next(FrameType.leave)).requestId, Status.notFound);
  await t.notThrowsAsync(left);
  const never = client.business('live').leave('other');
  peer.respond((await peer.next(FrameType.leave)).requestId, Status.notFound);
  await t.throwsAsync(never, { code: 'TRK_REQUEST_FAILED' });
});

test('group: left while offline, it is not joined again and nothing is sent', async (t) => {
  const { server, client, peer } = await startOnline(t);
  const { membership } = await joined(client, peer);
  const offline = nextEvent(client, 'offline');
  peer.cut();
  await offline;
  await membership.leave();
  const next = await server.accept();
  await next.login();
  const answer = client.business('im').request('x');
  next.respond((await next.next(FrameType.request)).requestId);
  await t.notThrowsAsync(answer);
});

test('group: after a reconnect it is joined again from the position last seen, before requests go out', async (t) => {
  const { server, client, peer } = await startOnline(t);
  const { membership } = await joined(client, peer);
  const gaps = allEvents(client, 'gap');
  const pushed = nextPush(client, 'live');
  peer.send(push({ multicast: { group: 'room', offset: 8 } }));
  await pushed;
  const offline = nextEvent(client, 'offline');
  peer.cut();
  await offline;
  void client
    .business('im')
    .request('queued')
    .catch(() => {});
  const next = await server.accept();
  await next.login();
  const rejoin = await next.next(FrameType.join);
  t.like(rejoin, { businessId: 2, group: 'room', recover: { epoch: 'e1', offset: 8 } });
  await next.next(FrameType.request);
  next.respond(rejoin.requestId, 0, '', { ...position('e1', 8), recovered: 'false' });
  const again = nextPush(client, 'live');
  next.send(push({ multicast: { group: 'room', offset: 9 } }));
  await again;
  t.like(membership, { active: true, offset: 9 });
  t.deepEqual(gaps, [], 'nothing was missed');
});

for (const [answer, dropped, what] of [
  [{ ...position('e1', 12), recovered: 'false' }, 5, 'how many, in the same stream'],
  [{ ...position('e2', 3), recovered: 'false' }, 0, 'without a number, in a new stream'],
] as const) {
  test(`group: pushes missed while away are told as a gap: ${what}`, async (t) => {
    const { server, client, peer } = await startOnline(t);
    const { membership } = await joined(client, peer);
    const gap = nextEvent(client, 'gap');
    peer.cut();
    const next = await server.accept();
    await next.login();
    next.respond((await next.next(FrameType.join)).requestId, 0, '', answer);
    t.deepEqual(await gap, { type: 'gap', business: 'live', group: 'room', dropped, reason: GapReason.historyLost });
    t.like(membership, { epoch: answer.epoch, offset: Number(answer.offset) });
  });
}

test('group: a rejoin that is refused for good ends the membership and is told', async (t) => {
  const { server, client, peer } = await startOnline(t);
  const { membership } = await joined(client, peer);
  const failed = nextEvent(client, 'rejoin-failed');
  peer.cut();
  const next = await server.accept();
  await next.login();
  next.respond((await next.next(FrameType.join)).requestId, Status.notFound);
  t.like(await failed, { business: 'live', group: 'room', retrying: false });
  t.false(membership.active);
});

test('group: a rejoin that may succeed later is tried again', async (t) => {
  const { server, client, peer } = await startOnline(t);
  const { membership } = await joined(client, peer);
  const failed = nextEvent(client, 'rejoin-failed');
  peer.cut();
  const next = await server.accept();
  await next.login();
  next.respond((await next.next(FrameType.join)).requestId, Status.unavailable);
  t.like(await failed, { retrying: true });
  next.respond((await next.next(FrameType.join)).requestId, 0, '', position('e1', 7));
  t.true(membership.active);
});

test('group: GAP 2 ends the membership, and it is not joined again', async (t) => {
  const { server, client, peer } = await startOnline(t);
  const { membership } = await joined(client, peer);
  const gap = nextEvent(client, 'gap');
  peer.send({ type: FrameType.gap, businessId: 2, group: 'room', dropped: 0, reason: GapReason.membershipEnded });
  t.deepEqual(await gap, { type: 'gap', business: 'live', group: 'room', dropped: 0, reason: 2 });
  t.false(membership.active);
  peer.cut();
  const next = await server.accept();
  await next.login();
  const answer = client.business('im').request('x');
  next.respond((await next.next(FrameType.request)).requestId);
  await t.notThrowsAsync(answer);
});

test('group: a move that catches a rejoin under way joins again on the new connection', async (t) => {
  const clock = new ManualClock();
  const { server, client, peer } = await startOnline(t, { clock });
  await joined(client, peer);
  const offline = nextEvent(client, 'offline');
  peer.cut();
  clock.advance((await offline).nextAttemptMs ?? 0);
  const second = await server.accept();
  await second.login();
  await second.next(FrameType.join);
  const told = nextEvent(client, 'goaway');
  const online = nextEvent(client, 'online');
  second.send({ type: FrameType.goaway, reason: 1, windowMs: 0, accessPoint: '' });
  await told;
  clock.advance(0);
  // The answer that is under way has a little time; it never comes.
  clock.advance(2_000);
  const third = await server.accept();
  await third.login();
  await online;
  await settled();
  clock.advance(1_000);
  t.like(await third.next(FrameType.join), { group: 'room' });
});

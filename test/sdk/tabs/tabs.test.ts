/** One client for several tabs, over real ports. */
import test from 'ava';
import { FrameType } from '../../../protocol/index.js';
import { type ClientEvent, ConnectionLostError, type Push, RequestError, Status } from '../../../sdk/node.js';
import { eventually } from '../../support/start-test-node.js';
import { TabsFixture } from './tabs-fixture.js';

const push = (businessId: number, text: string, multicast?: { group: string; offset: number }) => ({
  type: FrameType.push,
  businessId,
  messageId: `m-${text}`,
  metadata: {},
  payload: Buffer.from(text),
  sequence: undefined,
  multicast,
});

test('tabs: one connection, and a request of each comes back to the tab that asked', async (t) => {
  const fixture = await TabsFixture.start(t);
  const [ada, bo] = [await fixture.openTab(), await fixture.openTab()];
  const peer = await fixture.online(ada, bo);
  t.is(ada.state, 'online');
  t.is(bo.deviceId, 'd-1');
  const answers = [ada, bo].map((tab, index) => tab.business('im').request(`hello-${index}`, `from ${index}`));
  for (const _ of answers) {
    const { requestId, method, payload } = await peer.next(FrameType.request);
    peer.respond(requestId, 0, `${method} ${Buffer.from(payload)}`, { mark: method });
  }
  const replies = await Promise.all(answers);
  t.deepEqual(
    replies.map((reply) => [reply.text(), reply.metadata['mark']]),
    [
      ['hello-0 from 0', 'hello-0'],
      ['hello-1 from 1', 'hello-1'],
    ],
  );
  t.is(fixture.server.unaccepted, 0);
});

test('tabs: one that comes later is told that the connection is there', async (t) => {
  const fixture = await TabsFixture.start(t);
  await fixture.online(await fixture.openTab());
  const late = await fixture.openTab();
  const events: ClientEvent[] = [];
  late.on('state', (event) => events.push(event));
  late.on('online', (event) => events.push(event));
  t.is(late.state, 'idle');
  await late.connect();
  t.like(events, [
    { type: 'state', state: 'online', previous: 'idle' },
    { type: 'online', connectionId: 'c-1', protocol: 'tcp' },
  ]);
  await late.connect();
  t.is(events.length, 2);
});

test('tabs: a push reaches every tab that listens, a group only those in it', async (t) => {
  const fixture = await TabsFixture.start(t);
  const tabs = [await fixture.openTab(), await fixture.openTab(), await fixture.openTab()] as const;
  const seen: string[][] = tabs.map(() => []);
  const listen = (index: number, business: string) =>
    tabs[index]?.business(business).onPush((pushed: Push) => seen[index]?.push(pushed.text()));
  listen(0, 'im');
  const stop = listen(1, 'im');
  listen(1, 'live');
  listen(2, 'live');
  const peer = await fixture.online(...tabs);
  const joined = tabs[1].business('live').join('room');
  const { requestId } = await peer.next(FrameType.join);
  peer.respond(requestId, 0, '', { epoch: 'e', offset: '4' });
  const membership = await joined;
  t.like(membership, { group: 'room', epoch: 'e', offset: 4, active: true });
  peer.send(
    push(1, 'one'),
    push(2, 'five', { group: 'room', offset: 5 }),
    push(2, 'to-all'),
    push(2, 'w', { group: 'other', offset: 1 }),
  );
  await eventually(() => seen[2]?.length === 2);
  t.deepEqual(seen, [['one'], ['one', 'five', 'to-all', 'w'], ['to-all', 'w']]);
  t.is(membership.offset, 5);
  stop?.();
  // Told over the port: an answer that comes back proves that it was heard.
  await t.throwsAsync(tabs[1].business('nothing').request('x'), { code: 'TRK_BUSINESS_NOT_GRANTED' });
  peer.send(push(1, 'two'));
  await eventually(() => seen[0]?.length === 2);
  t.is(seen[1]?.length, 4);
});

test('tabs: a group is joined once and left with the last tab in it', async (t) => {
  const fixture = await TabsFixture.start(t);
  const [ada, bo] = [await fixture.openTab(), await fixture.openTab()];
  const peer = await fixture.online(ada, bo);
  const joins = [ada.business('live').join('room'), bo.business('live').join('room')];
  peer.respond((await peer.next(FrameType.join)).requestId, 0, '', { epoch: 'e', offset: '1' });
  const [first] = await Promise.all(joins);
  await first?.leave();
  t.false(first?.active);
  t.is(peer.unread, 0);
  await t.throwsAsync(ada.business('live').leave('room'), { instanceOf: RequestError, code: 'TRK_REQUEST_FAILED' });
  const left = bo.business('live').leave('room');
  const leave = await peer.next(FrameType.leave);
  t.is(leave.group, 'room');
  peer.respond(leave.requestId);
  await left;
});

test('tabs: one that vanishes without a word leaves its groups, and its requests are not answered there', async (t) => {
  const fixture = await TabsFixture.start(t);
  const [ada, bo] = [await fixture.openTab(), await fixture.openTab()];
  ada.business('im').onRequest('where', () => 'ada');
  const peer = await fixture.online(ada, bo);
  bo.business('im').onRequest('where', () => 'bo');
  const joined = bo.business('live').join('room');
  peer.respond((await peer.next(FrameType.join)).requestId, 0, '', { epoch: 'e', offset: '1' });
  await joined;
  const ask = async (requestId: number): Promise<string> => {
    peer.send({
      type: FrameType.request,
      requestId,
      businessId: 1,
      method: 'where',
      metadata: {},
      deadlineMs: 0,
      payload: Buffer.alloc(0),
    });
    const answer = await peer.next(FrameType.response);
    return `${answer.status} ${Buffer.from(answer.payload)}`;
  };
  t.is(await ask(1), '0 bo');
  fixture.killLastTab();
  const leave = await peer.next(FrameType.leave);
  t.is(leave.group, 'room');
  peer.respond(leave.requestId);
  t.is(fixture.hub.tabCount, 1);
  t.is(await ask(2), '0 ada');
});

test('tabs: a tab that goes while it answers is told as unavailable; the last one closed ends the connection', async (t) => {
  const fixture = await TabsFixture.start(t);
  const tab = await fixture.openTab();
  const other = await fixture.openTab();
  let isAsked = false;
  tab.business('im').onRequest(() => {
    isAsked = true;
    return new Promise(() => {});
  });
  const peer = await fixture.online(tab, other);
  peer.send({
    type: FrameType.request,
    requestId: 9,
    businessId: 1,
    method: 'm',
    metadata: {},
    deadlineMs: 0,
    payload: Buffer.alloc(0),
  });
  await eventually(() => isAsked);
  tab.close();
  t.is(tab.state, 'closed');
  t.is((await peer.next(FrameType.response)).status, Status.unavailable);
  await t.throwsAsync(tab.business('im').request('x'), { code: 'TRK_CLIENT_CLOSED' });
  t.is(other.state, 'online');
  other.close();
  await peer.next(FrameType.close);
  await peer.ended;

  const again = tab.connect();
  const next = await fixture.server.accept();
  await next.login();
  await again;
  t.is(tab.state, 'online');
});

test('tabs: abort, deadline and refusal keep class, code and fields over the port', async (t) => {
  const fixture = await TabsFixture.start(t);
  const tab = await fixture.openTab();
  const peer = await fixture.online(tab);
  const im = tab.business('im');
  const abort = new AbortController();
  const aborted = im.request('slow', '', { signal: abort.signal });
  const { requestId } = await peer.next(FrameType.request);
  abort.abort('enough');
  const cancelled = await t.throwsAsync(aborted, { code: 'TRK_REQUEST_CANCELLED' });
  t.is(cancelled?.cause, 'enough');
  t.is((await peer.next(FrameType.cancel)).requestId, requestId);

  const late = im.request('late', '', { deadlineMs: 20 });
  await peer.next(FrameType.request);
  t.like(await t.throwsAsync(late, { code: 'TRK_DEADLINE_EXCEEDED' }), {
    deadlineMs: 20,
    wasSent: true,
    retryable: true,
  });
  await peer.next(FrameType.cancel);

  const refused = im.request('no');
  peer.respond((await peer.next(FrameType.request)).requestId, Status.permissionDenied, 'why', { hint: 'h' });
  const error = (await t.throwsAsync(refused, { instanceOf: RequestError })) as RequestError;
  t.is(error.status, Status.permissionDenied);
  t.is(Buffer.from(error.payload).toString(), 'why');
  t.deepEqual(error.metadata, { hint: 'h' });

  await t.throwsAsync(im.request('bad', '', { deadlineMs: 0 }), { code: 'TRK_INVALID_ARGUMENT' });
  await t.throwsAsync(im.request('bad', '', { metadata: { f: (() => {}) as never } }), {
    code: 'TRK_INVALID_ARGUMENT',
  });
});

test('tabs: a live tab answers for credentials, identity and assertion', async (t) => {
  const fixture = await TabsFixture.start(t);
  const kept: unknown[] = [];
  const storage = { get: () => undefined, set: (identity: unknown) => void kept.push(identity) };
  fixture.server.onBootstrap = () => ({ body: fixture.server.bootstrap({ deviceSecret: 's-1' }) });
  const asked: string[] = [];
  const assertion = (name: string) => async () => {
    asked.push(name);
    return `assertion of ${name}`;
  };
  const ada = await fixture.openTab({ storage, assertion: assertion('ada') });
  const bo = await fixture.openTab({ storage, assertion: assertion('bo') });
  const peer = await fixture.online(ada, bo);
  t.like(fixture.server.bootstraps[0], { app: 'demo', assertion: 'assertion of ada' });
  t.deepEqual(kept, [{ deviceId: 'd-1', deviceSecret: 's-1' }]);
  ada.close();
  await eventually(() => fixture.hub.tabCount === 1);
  peer.close(4100);
  await fixture.server.accept();
  t.deepEqual(asked, ['ada', 'bo']);
});

test('tabs: what a credentials function throws reaches connect with its class', async (t) => {
  const fixture = await TabsFixture.start(t);
  const { BootstrapError } = await import('../../../sdk/node.js');
  const tab = await fixture.openTab({
    credentials: async () => {
      throw new BootstrapError('not you', { httpStatus: 403 });
    },
  });
  const error = await t.throwsAsync(tab.connect(), { instanceOf: BootstrapError, message: 'not you' });
  t.like(error, { httpStatus: 403, code: 'TRK_BOOTSTRAP_FAILED', retryable: false });
  await eventually(() => tab.state === 'closed');
});

test('tabs: options that no client can be made of are refused by name', async (t) => {
  const fixture = await TabsFixture.start(t);
  await t.throwsAsync(fixture.openTab({ requestDeadlineMs: -1 }), {
    code: 'TRK_INVALID_OPTION',
    message: /requestDeadlineMs/,
  });
});

test('tabs: a worker that dies is replaced, and the tab is online and in its groups again', async (t) => {
  const fixture = await TabsFixture.start(t);
  const tab = await fixture.openTab();
  const seen: string[] = [];
  tab.business('live').onPush((pushed) => seen.push(pushed.text()));
  const first = await fixture.online(tab);
  const joined = tab.business('live').join('room');
  first.respond((await first.next(FrameType.join)).requestId, 0, '', { epoch: 'e', offset: '1' });
  const membership = await joined;
  const gaps: ClientEvent[] = [];
  tab.on('gap', (event) => gaps.push(event));
  const lost = tab.business('im').request('m');
  await first.next(FrameType.request);

  const dead = fixture.workerLock;
  await fixture.startWorker();
  fixture.locks.kill(dead);
  await t.throwsAsync(lost, { instanceOf: ConnectionLostError });
  t.is(tab.state, 'waiting');
  const second = await fixture.server.accept();
  await second.login({ connectionId: 'c-2' });
  second.respond((await second.next(FrameType.join)).requestId, 0, '', { epoch: 'e', offset: '3' });
  await eventually(() => tab.state === 'online' && gaps.length === 1);
  t.like(gaps[0], { group: 'room', dropped: 2 });
  t.like(membership, { offset: 3, active: true });
  second.send(push(2, 'here again', { group: 'room', offset: 4 }));
  await eventually(() => seen.length === 1);
});

test('tabs: memberships end for all tabs when the server ends them', async (t) => {
  const fixture = await TabsFixture.start(t);
  const [ada, bo] = [await fixture.openTab(), await fixture.openTab()];
  const peer = await fixture.online(ada, bo);
  const joins = [ada, bo].map((tab) => tab.business('live').join('room'));
  peer.respond((await peer.next(FrameType.join)).requestId, 0, '', { epoch: 'e', offset: '1' });
  const memberships = await Promise.all(joins);
  peer.send({ type: FrameType.gap, businessId: 2, group: 'room', dropped: 0, reason: 2 });
  await eventually(() => memberships.every(({ active }) => !active));
  const again = ada.business('live').join('room');
  peer.respond((await peer.next(FrameType.join)).requestId, 0, '', { epoch: 'f', offset: '7' });
  t.like(await again, { epoch: 'f', offset: 7, active: true });
});

test('tabs: without locks, beats flow and everything else is the same', async (t) => {
  const fixture = await TabsFixture.start(t, { hasLocks: false });
  const tab = await fixture.openTab();
  const peer = await fixture.online(tab);
  const answer = tab.business('im').request('m');
  peer.respond((await peer.next(FrameType.request)).requestId, 0, 'yes');
  t.is((await answer).text(), 'yes');
  tab.suspend();
  await peer.next(FrameType.close);
  tab.resume();
  await (await fixture.server.accept()).login({ connectionId: 'c-2' });
  await eventually(() => tab.state === 'online');
});

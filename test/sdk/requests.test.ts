import test from 'ava';
import { FrameType, Status } from '../../protocol/index.js';
import { DeadlineExceededError, RequestError } from '../../sdk/index.js';
import { nextEvent, startClient, startOnline, startServer } from './client-fixture.js';
import { ManualClock } from './manual-clock.js';

test('request: carries everything out and the answer back', async (t) => {
  const { client, peer } = await startOnline(t);
  const answer = client.business('live').request('like', '{"n":1}', { metadata: { k: 'v' }, deadlineMs: 5_000 });
  const frame = await peer.next(FrameType.request);
  t.like(frame, { businessId: 2, method: 'like' });
  t.deepEqual({ ...frame.metadata }, { k: 'v' });
  t.true(frame.deadlineMs > 4_000 && frame.deadlineMs <= 5_000);
  t.is(Buffer.from(frame.payload).toString(), '{"n":1}');
  peer.respond(frame.requestId, 0, '{"likes":2}', { served: 'by-test' });
  const reply = await answer;
  t.is(reply.status, 0);
  t.is(reply.metadata['served'], 'by-test');
  t.is(reply.text(), '{"likes":2}');
  t.deepEqual(reply.json(), { likes: 2 });
});

test('request: bytes and nothing are payloads too', async (t) => {
  const { client, peer } = await startOnline(t);
  void client
    .business('im')
    .request('bytes', Uint8Array.of(0, 255))
    .catch(() => {});
  void client
    .business('im')
    .request('nothing')
    .catch(() => {});
  t.deepEqual([...(await peer.next(FrameType.request)).payload], [0, 255]);
  t.is((await peer.next(FrameType.request)).payload.length, 0);
});

test('request: answers may come in any order', async (t) => {
  const { client, peer } = await startOnline(t);
  const methods = ['a', 'b', 'c', 'd'];
  const answers = methods.map((method) => client.business('im').request(method));
  const frames = [];
  for (const _ of methods) frames.push(await peer.next(FrameType.request));
  for (const { requestId, method } of frames.reverse()) peer.respond(requestId, 0, method.toUpperCase());
  t.deepEqual(
    (await Promise.all(answers)).map((reply) => reply.text()),
    ['A', 'B', 'C', 'D'],
  );
});

test('request: another status is thrown with metadata and payload', async (t) => {
  const { client, peer } = await startOnline(t);
  const answer = client.business('im').request('x');
  peer.respond((await peer.next(FrameType.request)).requestId, Status.resourceExhausted, 'full', { limit: '3' });
  const error = (await t.throwsAsync(answer, { instanceOf: RequestError, code: 'TRK_REQUEST_FAILED' })) as RequestError;
  t.is(error.status, Status.resourceExhausted);
  t.true(error.retryable);
  t.is(error.metadata['limit'], '3');
  t.is(Buffer.from(error.payload).toString(), 'full');
});

test('request: made before the login, it waits for it', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server);
  const answer = client.business('im').request('early');
  void client.connect();
  const peer = await server.accept();
  await peer.login();
  peer.respond((await peer.next(FrameType.request)).requestId, 0, 'late');
  t.is((await answer).text(), 'late');
});

test('request: the deadline counts while offline, and what is sent later carries what is left of it', async (t) => {
  const server = await startServer(t);
  const clock = new ManualClock();
  const client = startClient(t, server, { clock });
  const tooLong = client.business('im').request('short', '', { deadlineMs: 1_000 });
  void client
    .business('im')
    .request('long', '', { deadlineMs: 9_000 })
    .catch(() => {});
  clock.advance(3_000);
  const error = (await t.throwsAsync(tooLong, { code: 'TRK_DEADLINE_EXCEEDED' })) as DeadlineExceededError;
  t.is(error.wasSent, false);
  void client.connect();
  const peer = await server.accept();
  await peer.login();
  t.like(await peer.next(FrameType.request), { method: 'long', deadlineMs: 6_000 });
});

test('request: past its deadline it rejects, the server is told, and a late answer is ignored', async (t) => {
  const clock = new ManualClock();
  const { client, peer } = await startOnline(t, { clock });
  const late = client.business('im').request('late', '', { deadlineMs: 1_000 });
  const { requestId } = await peer.next(FrameType.request);
  clock.advance(1_000);
  const error = (await t.throwsAsync(late, { instanceOf: DeadlineExceededError })) as DeadlineExceededError;
  t.is(error.wasSent, true);
  t.is((await peer.next(FrameType.cancel)).requestId, requestId);
  peer.respond(requestId);
  const next = client.business('im').request('next');
  peer.respond((await peer.next(FrameType.request)).requestId, 0, 'fine');
  t.is((await next).text(), 'fine');
});

test('request: an AbortSignal sends CANCEL and rejects with its reason as the cause', async (t) => {
  const { client, peer } = await startOnline(t);
  const abort = new AbortController();
  const answer = client.business('im').request('x', '', { signal: abort.signal });
  const { requestId } = await peer.next(FrameType.request);
  const reason = new Error('the user left');
  abort.abort(reason);
  const error = await t.throwsAsync(answer, { code: 'TRK_REQUEST_CANCELLED' });
  t.is(error?.cause, reason);
  t.is((await peer.next(FrameType.cancel)).requestId, requestId);
  const already = client.business('im').request('x', '', { signal: abort.signal });
  await t.throwsAsync(already, { code: 'TRK_REQUEST_CANCELLED' });
  t.is(peer.unread, 0);
});

test('request: sent ones fail with the link, queued ones go out on the next', async (t) => {
  const { server, client, peer } = await startOnline(t, {}, { maxInFlight: 1 });
  const sent = client.business('im').request('sent');
  await peer.next(FrameType.request);
  const queued = client.business('im').request('queued');
  peer.cut();
  const error = await t.throwsAsync(sent, { code: 'TRK_CONNECTION_LOST' });
  t.true((error as unknown as { retryable: boolean }).retryable);
  const next = await server.accept();
  await next.login();
  const frame = await next.next(FrameType.request);
  t.is(frame.method, 'queued');
  next.respond(frame.requestId, 0, 'ok');
  t.is((await queued).text(), 'ok');
});

test('request: no more than the server’s limit are under way; the rest follow in order', async (t) => {
  const { client, peer } = await startOnline(t, {}, { maxInFlight: 2 });
  const answers = ['a', 'b', 'c', 'd'].map((method) => client.business('im').request(method));
  const first = await peer.next(FrameType.request);
  const second = await peer.next(FrameType.request);
  void client
    .business('im')
    .join('control-calls-do-not-count')
    .catch(() => {});
  await peer.next(FrameType.join);
  t.is(peer.unread, 0);
  peer.respond(second.requestId);
  const third = await peer.next(FrameType.request);
  t.is(third.method, 'c');
  peer.respond(third.requestId);
  peer.respond((await peer.next(FrameType.request)).requestId);
  peer.respond(first.requestId);
  await Promise.all(answers);
});

test('request: one that was given up counts as under way until the server has answered it', async (t) => {
  const { client, peer } = await startOnline(t, {}, { maxInFlight: 1 });
  const abort = new AbortController();
  const cancelled = client.business('im').request('first', '', { signal: abort.signal });
  const { requestId } = await peer.next(FrameType.request);
  const second = client.business('im').request('second');
  abort.abort();
  await t.throwsAsync(cancelled, { code: 'TRK_REQUEST_CANCELLED' });
  await peer.next(FrameType.cancel);
  t.is(peer.unread, 0);
  peer.respond(requestId, Status.cancelled);
  peer.respond((await peer.next(FrameType.request)).requestId, 0, 'second');
  t.is((await second).text(), 'second');
});

test('request: a status nobody knows is UNKNOWN', async (t) => {
  const { client, peer } = await startOnline(t);
  const answer = client.business('im').request('x');
  peer.respond((await peer.next(FrameType.request)).requestId, 99);
  t.is(((await t.throwsAsync(answer)) as RequestError).status, Status.unknown);
});

test('request: the queue has a bound', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server, { maxQueuedRequests: 2 });
  const queued = [1, 2].map((n) => client.business('im').request(String(n)));
  await t.throwsAsync(client.business('im').request('3'), { code: 'TRK_REQUEST_QUEUE_FULL' });
  client.close();
  for (const answer of queued) await t.throwsAsync(answer, { code: 'TRK_CLIENT_CLOSED' });
});

test('request: a business that is not granted is refused here', async (t) => {
  const { client, peer } = await startOnline(t);
  await t.throwsAsync(client.business('ads').request('x'), { code: 'TRK_BUSINESS_NOT_GRANTED' });
  t.is(peer.unread, 0);
});

test('request: what the server would close the connection for is refused here', async (t) => {
  const { client, peer } = await startOnline(t, {}, { maxFrameBytes: 1_024 });
  const im = client.business('im');
  const invalid = { code: 'TRK_INVALID_ARGUMENT' };
  await t.throwsAsync(im.request(''), invalid);
  await t.throwsAsync(im.request('é'.repeat(65)), invalid);
  await t.throwsAsync(im.request('x', '', { metadata: { k: 'v'.repeat(4_097) } }), invalid);
  await t.throwsAsync(im.request('x', '', { metadata: { ['k'.repeat(129)]: '' } }), invalid);
  await t.throwsAsync(im.request('x', '', { metadata: { n: 1 as unknown as string } }), invalid);
  const pairs = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, '']));
  await t.throwsAsync(im.request('x', '', { metadata: pairs }), invalid);
  await t.throwsAsync(im.request('x', '', { deadlineMs: 0 }), invalid);
  await t.throwsAsync(im.join('g'.repeat(129)), invalid);
  await t.throwsAsync(im.request('x', 'p'.repeat(1_024)), { code: 'TRK_PAYLOAD_TOO_LARGE' });
  t.is(peer.unread, 0);
  const answer = im.request('x', 'p'.repeat(900));
  peer.respond((await peer.next(FrameType.request)).requestId);
  await t.notThrowsAsync(answer);
});

test('request: close rejects what is under way', async (t) => {
  const { client, peer } = await startOnline(t);
  const answer = client.business('im').request('x');
  await peer.next(FrameType.request);
  const closed = nextEvent(client, 'state');
  client.close();
  await t.throwsAsync(answer, { code: 'TRK_CONNECTION_LOST' });
  t.is((await closed).state, 'closed');
});

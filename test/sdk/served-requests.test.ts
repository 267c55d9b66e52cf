import test from 'ava';
import { FrameType, type RequestFrame, Status } from '../../protocol/index.js';
import { RequestError } from '../../sdk/index.js';
import { startOnline } from './client-fixture.js';
import { ManualClock } from './manual-clock.js';

function request(fields: Partial<RequestFrame> = {}): RequestFrame {
  const payload = Buffer.from('{"v":5}');
  return {
    type: FrameType.request,
    requestId: 9,
    businessId: 1,
    method: 'set',
    metadata: {},
    deadlineMs: 0,
    payload,
    ...fields,
  };
}

test('server request: a handler answers with text, bytes, nothing or a whole reply', async (t) => {
  const { client, peer } = await startOnline(t);
  const im = client.business('im');
  im.onRequest('text', ({ json, ...rest }) => `got ${JSON.stringify(rest.method)}`);
  im.onRequest('bytes', async (asked) => asked.payload);
  im.onRequest('nothing', () => undefined);
  im.onRequest('whole', () => ({ status: Status.aborted, metadata: { why: 'test' }, payload: 'p' }));
  const answers = [];
  for (const method of ['text', 'bytes', 'nothing', 'whole']) {
    peer.send(request({ method }));
    answers.push(await peer.next(FrameType.response));
  }
  t.deepEqual(
    answers.map(({ status }) => status),
    [0, 0, 0, Status.aborted],
  );
  const texts = answers.map(({ payload }) => Buffer.from(payload).toString());
  t.deepEqual(texts, ['got "text"', '{"v":5}', '', 'p']);
  t.is(answers[3]?.metadata['why'], 'test');
  t.true(answers.every(({ requestId }) => requestId === 9));
});

test('server request: the handler sees method, metadata, payload and deadline', async (t) => {
  const { client, peer } = await startOnline(t);
  client.business('im').onRequest((asked) => {
    t.is(asked.method, 'set');
    t.is(asked.metadata['k'], 'v');
    t.deepEqual(asked.json(), { v: 5 });
    t.is(asked.deadlineMs, 5_000);
    return undefined;
  });
  peer.send(request({ metadata: { k: 'v' }, deadlineMs: 5_000 }));
  t.is((await peer.next(FrameType.response)).status, Status.ok);
});

test('server request: without a handler the answer is UNIMPLEMENTED', async (t) => {
  const { client, peer } = await startOnline(t);
  const off = client.business('im').onRequest('set', () => 'ok');
  peer.send(request({ method: 'other' }));
  t.is((await peer.next(FrameType.response)).status, Status.unimplemented);
  peer.send(request({ businessId: 99 }));
  t.is((await peer.next(FrameType.response)).status, Status.unimplemented);
  off();
  peer.send(request());
  t.is((await peer.next(FrameType.response)).status, Status.unimplemented);
});

test('server request: a failing handler answers INTERNAL, or the status of what it throws', async (t) => {
  const { client, peer } = await startOnline(t);
  client.business('im').onRequest('fail', () => {
    throw new Error('secret of this device');
  });
  client.business('im').onRequest('refuse', async () => {
    throw new RequestError(Status.permissionDenied);
  });
  client.business('im').onRequest('too-much', () => ({ metadata: { k: 'v'.repeat(5_000) } }));
  peer.send(request({ method: 'fail' }));
  const failed = await peer.next(FrameType.response);
  t.is(failed.status, Status.internal);
  t.is(failed.payload.length, 0);
  peer.send(request({ method: 'refuse' }));
  t.is((await peer.next(FrameType.response)).status, Status.permissionDenied);
  peer.send(request({ method: 'too-much' }));
  t.is((await peer.next(FrameType.response)).status, Status.internal);
});

test('server request: CANCEL aborts the handler and is answered', async (t) => {
  const { client, peer } = await startOnline(t);
  const aborted = new Promise((resolve) => {
    client.business('im').onRequest(({ signal }) => {
      signal.addEventListener('abort', resolve);
      return new Promise(() => {});
    });
  });
  peer.send(request(), { type: FrameType.cancel, requestId: 9 });
  t.is((await peer.next(FrameType.response)).status, Status.cancelled);
  await aborted;
});

test('server request: past its deadline it is answered DEADLINE_EXCEEDED', async (t) => {
  const clock = new ManualClock();
  const { client, peer } = await startOnline(t, { clock });
  const begun = new Promise<void>((resolve) => {
    client.business('im').onRequest(() => {
      resolve();
      return new Promise(() => {});
    });
  });
  peer.send(request({ deadlineMs: 1_000 }));
  await begun;
  clock.advance(1_000);
  t.is((await peer.next(FrameType.response)).status, Status.deadlineExceeded);
});

test('server request: what was asked on a dead link is not answered on the next', async (t) => {
  const { server, client, peer } = await startOnline(t);
  let finish: (reply: string) => void = () => {};
  const begun = new Promise<AbortSignal>((resolve) => {
    client.business('im').onRequest('slow', ({ signal }) => {
      resolve(signal);
      return new Promise<string>((done) => {
        finish = done;
      });
    });
  });
  client.business('im').onRequest('quick', () => 'q');
  peer.send(request({ method: 'slow' }));
  const signal = await begun;
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  peer.cut();
  const next = await server.accept();
  await next.login();
  await aborted;
  next.send(request({ method: 'quick' }));
  finish('too late');
  t.is(Buffer.from((await next.next(FrameType.response)).payload).toString(), 'q');
  t.is(next.unread, 0);
});

test('server request: an id that is open is refused, and so is one too many', async (t) => {
  const { client, peer } = await startOnline(t, {}, { maxInFlight: 2 });
  client.business('im').onRequest(() => new Promise(() => {}));
  peer.send(request({ requestId: 1 }), request({ requestId: 1 }));
  t.like(await peer.next(FrameType.response), { requestId: 1, status: Status.alreadyExists });
  peer.send(request({ requestId: 2 }), request({ requestId: 3 }));
  t.like(await peer.next(FrameType.response), { requestId: 3, status: Status.resourceExhausted });
  peer.send({ type: FrameType.cancel, requestId: 1 });
  t.like(await peer.next(FrameType.response), { requestId: 1, status: Status.cancelled });
});

import type { ServerResponse } from 'node:http';
import test from 'ava';
import { REASON_KEY, RETRY_AFTER_KEY } from '../../upstream/index.js';
import { callOf, clientOf, manualClock, startBackEnd, startTcpServer, until } from './real-back-end.js';

/** A back-end that answers nothing until it is told to. */
async function startHolding(t: Parameters<typeof startBackEnd>[0]) {
  const held: ServerResponse[] = [];
  let cut = 0;
  const backEnd = await startBackEnd(t, (_request, response) => {
    held.push(response);
    response.on('close', () => {
      if (!response.writableFinished) cut += 1;
    });
  });
  return { ...backEnd, held, cut: () => cut };
}

test('limits: no more exchanges at once than the concurrency, each on a kept connection', async (t) => {
  let running = 0;
  let most = 0;
  const backEnd = await startBackEnd(t, (_request, response) => {
    running += 1;
    most = Math.max(most, running);
    setTimeout(() => {
      running -= 1;
      response.end('done');
    }, 5);
  });
  const client = clientOf(t, backEnd.url, { concurrency: 3, maxQueue: 100 });
  const replies = await Promise.all(Array.from({ length: 40 }, () => client.request(callOf())));
  t.true(replies.every(({ status }) => status === 0));
  t.is(most, 3);
  t.is(backEnd.connections(), 3);
});

test('limits: calls beyond the queue are refused at once', async (t) => {
  const backEnd = await startHolding(t);
  const client = clientOf(t, backEnd.url, { concurrency: 1, maxQueue: 2 });
  const accepted = [1, 2, 3].map(() => client.request(callOf()));
  const reply = await client.request(callOf());
  t.is(reply.status, 8);
  t.is(client.outcomes[0]?.kind, 'queue-full');
  for (let i = 0; i < 3; i++) {
    await until(() => backEnd.held.length > i);
    backEnd.held[i]?.end();
  }
  t.deepEqual(
    (await Promise.all(accepted)).map(({ status }) => status),
    [0, 0, 0],
  );
});

test('limits: a queue of zero lets nothing wait', async (t) => {
  const backEnd = await startHolding(t);
  const client = clientOf(t, backEnd.url, { concurrency: 1, maxQueue: 0 });
  const first = client.request(callOf());
  t.is((await client.request(callOf())).status, 8);
  await until(() => backEnd.held.length === 1);
  backEnd.held[0]?.end();
  t.is((await first).status, 0);
});

test('cancel: before it starts, in the queue and in flight', async (t) => {
  const backEnd = await startHolding(t);
  const client = clientOf(t, backEnd.url, { concurrency: 1, maxQueue: 1 });
  t.is((await client.request(callOf({ signal: AbortSignal.abort() }))).status, 1);

  const inFlight = new AbortController();
  const flying = client.request(callOf({ signal: inFlight.signal }));
  await until(() => backEnd.held.length === 1);
  const inQueue = new AbortController();
  const queued = client.request(callOf({ signal: inQueue.signal }));
  inQueue.abort();
  t.is((await queued).status, 1);
  // Its place is free again.
  const next = client.request(callOf());
  inFlight.abort();
  t.is((await flying).status, 1);
  await until(() => backEnd.cut() === 1 && backEnd.held.length === 2);
  backEnd.held[1]?.end();
  t.is((await next).status, 0);
  t.deepEqual(
    client.outcomes.map(({ kind }) => kind),
    ['cancelled', 'cancelled', 'cancelled', 'answered'],
  );
});

test('cancel: while still connecting, the connection serves the next call', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => response.end());
  const client = clientOf(t, backEnd.url, { concurrency: 1 });
  const controller = new AbortController();
  const cancelled = client.request(callOf({ signal: controller.signal }));
  controller.abort();
  t.is((await cancelled).status, 1);
  t.is((await client.request(callOf())).status, 0);
  t.is(backEnd.received.length, 1);
  t.is(backEnd.connections(), 1);
});

test('cancel: in the middle of an answer', async (t) => {
  const backEnd = await startHolding(t);
  const client = clientOf(t, backEnd.url);
  const controller = new AbortController();
  const reply = client.request(callOf({ signal: controller.signal }));
  await until(() => backEnd.held.length === 1);
  backEnd.held[0]?.write('half');
  setTimeout(() => controller.abort(), 10);
  t.is((await reply).status, 1);
  t.is((await reply).payload.length, 0);
  await until(() => backEnd.cut() === 1);
});

test('deadline: in flight it aborts the exchange', async (t) => {
  const backEnd = await startHolding(t);
  const client = clientOf(t, backEnd.url, { deadlineMs: 30 });
  const reply = await client.request(callOf({ deadlineMs: 100_000 }));
  t.is(reply.status, 4);
  t.is(client.outcomes[0]?.kind, 'timeout');
  await until(() => backEnd.cut() === backEnd.held.length);
});

test('deadline: a client may ask for less than the limit', async (t) => {
  const backEnd = await startHolding(t);
  t.is((await clientOf(t, backEnd.url).request(callOf({ deadlineMs: 20 }))).status, 4);
});

test('deadline: in the queue the call leaves and is never sent', async (t) => {
  const backEnd = await startHolding(t);
  const client = clientOf(t, backEnd.url, { concurrency: 1, maxQueue: 1 });
  const first = client.request(callOf());
  await until(() => backEnd.held.length === 1);
  t.is((await client.request(callOf({ deadlineMs: 20 }))).status, 4);
  backEnd.held[0]?.end();
  t.is((await first).status, 0);
  await client.close();
  t.is(backEnd.received.length, 1);
});

test('deadline: a back-end that never finishes the TLS handshake', async (t) => {
  const url = await startTcpServer(t, () => {});
  const client = clientOf(t, url.replace('http:', 'https:'));
  t.is((await client.request(callOf({ deadlineMs: 20 }))).status, 4);
  await client.close();
});

test('deadline: what is left after the queue is told to the back-end', async (t) => {
  const backEnd = await startHolding(t);
  const clock = manualClock();
  const client = clientOf(t, backEnd.url, { concurrency: 1, clock, deadlineMs: 60_000 });
  const replies = [client.request(callOf()), client.request(callOf({ deadlineMs: 10_000 }))];
  await until(() => backEnd.held.length === 1);
  clock.move(4_000);
  backEnd.held[0]?.end();
  await until(() => backEnd.held.length === 2);
  backEnd.held[1]?.end();
  await Promise.all(replies);
  t.deepEqual(
    backEnd.received.map(({ headers }) => headers['ce-deadlinems']),
    ['60000', '6000'],
  );
  t.deepEqual(
    client.outcomes.map(({ latencyMs }) => latencyMs),
    [4_000, 4_000],
  );
});

test('breaker: opens after failures in a row, tries one call, closes when it succeeds', async (t) => {
  const backEnd = await startHolding(t);
  const clock = manualClock();
  const client = clientOf(t, backEnd.url, { breaker: { failures: 2, openMs: 1_000 }, clock });
  const answer = async (index: number, httpStatus: number) => {
    await until(() => backEnd.held.length > index);
    const response = backEnd.held[index] as ServerResponse;
    response.statusCode = httpStatus;
    response.end();
  };
  for (const index of [0, 1]) {
    const reply = client.request(callOf());
    await answer(index, 500);
    t.is((await reply).status, 13);
  }
  clock.move(400);
  const refused = await client.request(callOf());
  t.is(refused.status, 14);
  t.is(refused.metadata[RETRY_AFTER_KEY], '600');
  t.is(refused.metadata[REASON_KEY], 'the back-end failed lately');

  clock.move(600);
  const failing = client.request(callOf());
  t.is((await client.request(callOf())).status, 14);
  await answer(2, 503);
  t.is((await failing).status, 14);
  t.is((await client.request(callOf())).metadata[RETRY_AFTER_KEY], '1000');

  clock.move(1_000);
  const trying = client.request(callOf());
  await answer(3, 404);
  t.is((await trying).status, 5);
  const next = client.request(callOf());
  await answer(4, 200);
  t.is((await next).status, 0);
  t.is(backEnd.received.length, 5);
  t.is(client.outcomes.filter(({ kind }) => kind === 'breaker-open').length, 3);
});

test('breaker: network failures and timeouts count, 4xx and a bad answer do not', async (t) => {
  const unreachable = clientOf(t, 'http://127.0.0.1:1/', { breaker: { failures: 1, openMs: 60_000 } });
  await unreachable.request(callOf());
  t.is((await unreachable.request(callOf())).metadata[REASON_KEY], 'the back-end failed lately');

  const holding = await startHolding(t);
  const slow = clientOf(t, holding.url, { deadlineMs: 40, breaker: { failures: 1, openMs: 60_000 } });
  t.is((await slow.request(callOf())).status, 4);
  t.is((await slow.request(callOf())).status, 14);

  const backEnd = await startBackEnd(t, (_request, response) => response.writeHead(400).end());
  const wrong = clientOf(t, backEnd.url, { breaker: { failures: 1, openMs: 60_000 } });
  for (let i = 0; i < 3; i++) t.is((await wrong.request(callOf())).status, 3);
  const redirecting = await startBackEnd(t, (_request, response) => response.writeHead(302).end());
  const moved = clientOf(t, redirecting.url, { breaker: { failures: 1, openMs: 60_000 } });
  for (let i = 0; i < 3; i++) t.is((await moved.request(callOf())).status, 13);
});

test('breaker: a client cannot open it with tiny deadlines or by cancelling', async (t) => {
  const backEnd = await startBackEnd(t, ({ body }, response) => {
    if (body.toString() === 'answer me') response.end();
  });
  const client = clientOf(t, backEnd.url, { breaker: { failures: 1, openMs: 60_000 } });
  for (let i = 0; i < 3; i++) t.is((await client.request(callOf({ deadlineMs: 10 }))).status, 4);
  t.is((await client.request(callOf({ signal: AbortSignal.timeout(10) }))).status, 1);
  t.is((await client.request(callOf({ payload: Buffer.from('answer me') }))).status, 0);
});

test('breaker: what waits when it opens is answered at once', async (t) => {
  const backEnd = await startHolding(t);
  const client = clientOf(t, backEnd.url, { concurrency: 1, maxQueue: 5, breaker: { failures: 1, openMs: 60_000 } });
  const replies = Array.from({ length: 6 }, () => client.request(callOf()));
  await until(() => backEnd.held.length === 1);
  backEnd.held[0]?.writeHead(500).end();
  t.deepEqual(
    (await Promise.all(replies)).map(({ status }) => status),
    [13, 14, 14, 14, 14, 14],
  );
  t.is(backEnd.received.length, 1);
});

test('isolation: a back-end that hangs holds only its own pool', async (t) => {
  const hanging = await startHolding(t);
  const healthy = await startBackEnd(t, (_request, response) => response.end('ok'));
  const stuck = clientOf(t, hanging.url, { concurrency: 2, maxQueue: 100 });
  const controller = new AbortController();
  const waiting = Array.from({ length: 50 }, () => stuck.request(callOf({ signal: controller.signal })));
  const client = clientOf(t, healthy.url);
  for (let i = 0; i < 20; i++) t.is((await client.request(callOf())).status, 0);
  t.is(stuck.outcomes.length, 0);
  controller.abort();
  t.true((await Promise.all(waiting)).every(({ status }) => status === 1));
});

test('close: what is under way or waiting ends, new calls are refused', async (t) => {
  const backEnd = await startHolding(t);
  const client = clientOf(t, backEnd.url, { concurrency: 1 });
  const replies = [client.request(callOf()), client.request(callOf())];
  await until(() => backEnd.held.length === 1);
  let isClosed = false;
  const closed = client.close().then(() => {
    isClosed = true;
  });
  const refused = await client.request(callOf());
  t.is(refused.status, 14);
  t.is(client.outcomes[0]?.kind, 'closed');
  backEnd.held[0]?.end();
  await until(() => backEnd.held.length === 2);
  t.false(isClosed);
  backEnd.held[1]?.end();
  t.deepEqual(
    (await Promise.all(replies)).map(({ status }) => status),
    [0, 0],
  );
  await closed;
  await client.close();
});

test('close: with nothing under way it is done at once', async (t) => {
  await t.notThrowsAsync(clientOf(t, 'http://127.0.0.1:1/').close());
});

/** Questions and notices over a real MessageChannel; time moved by hand. */
import test, { type ExecutionContext } from 'ava';
import { Deferred } from '../../../sdk/deferred.js';
import { fromPlainError, toPlainError } from '../../../sdk/tabs/error-codec.js';
import { PortChannel, type PortHandlers } from '../../../sdk/tabs/port-channel.js';
import { ManualClock } from '../manual-clock.js';

type Channel = PortChannel<{ question: unknown; notice: unknown }, unknown, unknown>;

const NOBODY: PortHandlers<unknown, unknown> = { onQuestion: async () => undefined, onNotice: () => {} };

function pair(t: ExecutionContext, handlers: Partial<PortHandlers<unknown, unknown>>): { near: Channel; far: Channel } {
  const { port1, port2 } = new MessageChannel();
  const near: Channel = new PortChannel(port1, NOBODY);
  const far: Channel = new PortChannel(port2, { ...NOBODY, ...handlers });
  t.teardown(() => {
    near.close(new Error('over'));
    far.close(new Error('over'));
  });
  return { near, far };
}

test('port: answers come back in whatever order, notices in their own', async (t) => {
  const told: unknown[] = [];
  const waiting: (() => void)[] = [];
  const { near } = pair(t, {
    onNotice: (notice) => void told.push(notice),
    onQuestion: (question) => new Promise((resolve) => waiting.push(() => resolve([question, told.length]))),
  });
  near.tell('a');
  const first = near.ask('first');
  near.tell('b');
  const second = near.ask('second');
  while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve));
  waiting[1]?.();
  t.deepEqual(await second, ['second', 2]);
  waiting[0]?.();
  t.deepEqual(await first, ['first', 2]);
  t.deepEqual(told, ['a', 'b']);
});

test('port: a payload is copied, not its buffer, and stays with the sender', async (t) => {
  const { near } = pair(t, { onQuestion: async (question) => question });
  const payload = new Uint8Array(1_000).subarray(10, 13).fill(7);
  const back = await near.ask<{ payload: Uint8Array }>({ payload });
  t.deepEqual([...back.payload], [7, 7, 7]);
  t.is(back.payload.buffer.byteLength, 3);
  t.is(payload.length, 3);
});

test('port: an abort ends the question here and is told there', async (t) => {
  const aborted = new Deferred<void>();
  const asked = new Deferred<void>();
  const { near } = pair(t, {
    onQuestion: (_, signal) => {
      signal.addEventListener('abort', () => aborted.resolve());
      asked.resolve();
      return new Promise(() => {});
    },
  });
  const abort = new AbortController();
  const answer = near.ask('long', abort.signal);
  await asked.promise;
  abort.abort('why');
  t.is((await t.throwsAsync(answer, { code: 'TRK_REQUEST_CANCELLED' }))?.cause, 'why');
  await aborted.promise;
  await t.throwsAsync(near.ask('x', AbortSignal.abort()), { code: 'TRK_REQUEST_CANCELLED' });
});

test('port: closed, what is asked rejects with the reason given, then and later', async (t) => {
  const { near } = pair(t, { onQuestion: () => new Promise(() => {}) });
  const asked = near.ask('x');
  near.close(new TypeError('gone'));
  await t.throwsAsync(asked, { instanceOf: TypeError, message: 'gone' });
  await t.throwsAsync(near.ask('y'), { message: 'gone' });
  t.notThrows(() => near.tell('z'));
});

test('port: an end that falls silent is noticed, one that beats is not', async (t) => {
  const clock = new ManualClock();
  const { near, far } = pair(t, {});
  let isSilent = false;
  near.startBeat(clock, () => {
    isSilent = true;
  });
  far.startBeat(clock, () => {});
  for (let round = 0; round < 20; round += 1) {
    clock.advance(15_000);
    // Over the port and back: the beat before it has arrived.
    await near.ask('round');
  }
  t.false(isSilent);
  far.close(new Error('crashed'));
  clock.advance(300_000);
  t.true(isSilent);
});

test('port: errors keep class, fields and causes; what cannot cross is left out', (t) => {
  const cause = Object.assign(new RangeError('deep'), { at: 3, f: () => {} });
  const error = Object.assign(new Error('own', { cause }), { code: 'APP_OWN' });
  const back = fromPlainError(structuredClone(toPlainError(error)));
  t.like(back, { message: 'own', code: 'APP_OWN' });
  t.true(back.cause instanceof RangeError);
  t.like(back.cause, { message: 'deep', at: 3 });
  t.false('f' in (back.cause as object));
  t.is(fromPlainError(toPlainError('text')).message, 'text');
});

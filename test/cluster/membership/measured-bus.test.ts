/** What passes between nodes is counted by what became of it. */
import test from 'ava';
import { type Bus, EngineUnavailableError } from '../../../actors/index.js';
import { MeasuredBus } from '../../../cluster/membership/index.js';

test('measured bus: counts messages and bytes by what became of them', async (t) => {
  let answer: () => Promise<boolean> = async () => true;
  let receive = (_bytes: Uint8Array): void => {};
  const inner: Bus = {
    open: async (_incarnation, { onMessage }) => {
      receive = onMessage;
    },
    send: () => answer(),
    listen: async () => {},
    unlisten: async () => {},
    multicast: async () => ({ offset: 1, receivers: 0 }),
  };
  const bus = new MeasuredBus(inner);
  const received: Uint8Array[] = [];
  await bus.open('a', { onMessage: (bytes) => received.push(bytes), onMulticast: () => {} });
  const bytes = new Uint8Array(10);
  t.true(await bus.send('b', bytes));
  answer = async () => false;
  t.false(await bus.send('b', bytes));
  for (const mayHaveArrived of [true, false]) {
    answer = () => Promise.reject(new EngineUnavailableError(mayHaveArrived));
    await t.throwsAsync(bus.send('b', bytes), { instanceOf: EngineUnavailableError });
  }
  await bus.multicast(1, 'room', bytes);
  receive(bytes);
  t.deepEqual(received, [bytes]);
  t.deepEqual(
    bus.counts.map(({ kind, result, messages, bytes: size }) => `${kind} ${result} ${messages} ${size}`),
    [
      'node taken 1 10',
      'node nobody 1 10',
      'node unknown 1 10',
      'node unsent 1 10',
      'group nobody 1 10',
      'node received 1 10',
    ],
  );
});

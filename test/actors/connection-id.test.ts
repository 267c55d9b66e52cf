import test from 'ava';
import { firstSerial, formatConnectionId } from '../../actors/connection-id.js';
import { IllegalStateError, move } from '../../actors/connection-state.js';

test('connection id: is printable, and a restarted worker never names one again', (t) => {
  const incarnation = '4f1c2ab09d3e5f60';
  t.is(formatConnectionId({ incarnation, worker: 1, serial: firstSerial(1) }), `${incarnation}-1-1z141z5`);
  t.is(firstSerial(0), 1);
  t.true(firstSerial(1) > firstSerial(0) + 0xffff_fffe);
});

test('connection state: moves forward only', (t) => {
  t.is(move('handshaking', 'online'), 'online');
  t.is(move('online', 'draining'), 'draining');
  for (const from of ['handshaking', 'online', 'draining'] as const) t.is(move(from, 'closed'), 'closed');
  for (const [from, to] of [
    ['closed', 'online'],
    ['draining', 'online'],
    ['handshaking', 'draining'],
    ['closed', 'closed'],
  ] as const) {
    t.throws(() => move(from, to), { instanceOf: IllegalStateError, code: 'TRK_ILLEGAL_STATE' });
  }
});

import test from 'ava';
import { stopSignal } from '../../cli/signals.js';

test.serial('signals: the first asks for a stop, the second forces it', async (t) => {
  let forced = 0;
  const stopped = stopSignal(() => {
    forced += 1;
  });
  process.emit('SIGTERM', 'SIGTERM');
  t.is(await stopped, 'SIGTERM');
  t.is(forced, 0);
  process.emit('SIGINT', 'SIGINT');
  t.is(forced, 1);
});

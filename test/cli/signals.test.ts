import test from 'ava';
import { SAME_PRESS_MS, stopSignal } from '../../cli/signals.js';

test.serial(
  'signals: the first asks for a stop, one that is the same key press changes nothing, a later one forces',
  async (t) => {
    let nowMs = 1_000;
    let forced = 0;
    const onSecond = (): void => {
      forced += 1;
    };
    const stopped = stopSignal({ onSecond, now: () => nowMs });
    process.emit('SIGINT', 'SIGINT');
    t.is(await stopped, 'SIGINT');
    nowMs += SAME_PRESS_MS - 1;
    process.emit('SIGINT', 'SIGINT');
    t.is(forced, 0);
    nowMs += 1;
    process.emit('SIGTERM', 'SIGTERM');
    t.is(forced, 1);
  },
);

/** Waiting for what other parts do in their own time; ava's time limit is the only one. */
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';

/** Polls real sockets and servers. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await delay(2);
}

/** Lets everything that waits in this process alone come to its end. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await immediate();
}

/**
 * How a node stops: politely while there is time, and on time in any case.
 *
 *   accept nothing new -> GOAWAY, clients leave at a random moment of the window -> requests and queues finish
 *   -> CLOSE to who is left
 */
import type { ActorRef } from '../actors/index.js';
import type { Logger } from './logger.js';
import { within } from './within.js';

/** Of the drain time: the window in which clients leave, when whoever is left is closed, and when that must be done. */
const WINDOW_SHARE = 0.2;
const CLOSE_SHARE = 0.6;
const CLOSED_SHARE = 0.75;
const POLL_MS = 50;
/** For the last bytes of a CLOSE to leave the kernel. */
const FAREWELL_MS = 100;

export interface DrainOptions {
  /** Mailboxes of the access workers that are up. */
  readonly workers: readonly ActorRef[];
  readonly drainMs: number;
  readonly log: Logger;
}

/** Resolves when every connection has ended, in three quarters of the drain time; never rejects. */
export async function drainConnections({ workers, drainMs, log }: DrainOptions): Promise<void> {
  const startedMs = performance.now();
  const closeAtMs = startedMs + drainMs * CLOSE_SHARE;
  const windowMs = Math.floor(drainMs * WINDOW_SHARE);
  const ask = createAsk(workers, closeAtMs, log);
  await ask('stopAccepting');
  let left = await countConnections(ask);
  if (left.connections === 0) return;
  log.info('draining', { connections: left.connections, windowMs });
  await ask('drain', { windowMs });
  while (left.connections > 0 && performance.now() < closeAtMs) {
    if (performance.now() - startedMs > windowMs && left.busy === 0) break;
    await sleep(POLL_MS);
    left = await countConnections(ask);
  }
  if (left.connections === 0) return;
  log.info('closing the connections that are left', left);
  await createAsk(workers, startedMs + drainMs * CLOSED_SHARE, log)('closeAll');
  await sleep(FAREWELL_MS);
}

type Ask = (topic: string, message?: object) => Promise<unknown[]>;

/** Asks every worker; one that hangs or dies is left out once the time is over. */
function createAsk(workers: readonly ActorRef[], endMs: number, log: Logger): Ask {
  return (topic, message = {}) =>
    Promise.all(
      workers.map((worker) => {
        const answer = worker.sendAndReceive(topic, message).catch((error) => {
          log.warn('access worker did not answer', { topic, error: String(error) });
        });
        return within(Math.max(endMs - performance.now(), POLL_MS), answer);
      }),
    );
}

async function countConnections(ask: Ask): Promise<{ connections: number; busy: number }> {
  const total = { connections: 0, busy: 0 };
  for (const status of (await ask('drainStatus')) as ({ connections: number; busy: number } | undefined)[]) {
    total.connections += status?.connections ?? 0;
    total.busy += status?.busy ?? 0;
  }
  return total;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * How a node stops: politely while there is time, and on time in any case.
 *
 *   accept nothing new -> GOAWAY, clients leave in the window -> requests and queues finish -> CLOSE to who is left
 *
 * Where other nodes take the clients, each is told at its own moment of the window and sent to one of them. Where there
 * is nobody, all are told at once and choose the moment themselves.
 */
import type { ActorRef } from '../actors/index.js';
import type { DrainTarget } from './drain-targets.js';
import type { Logger } from './logger.js';
import type { DrainPacing } from './paced-drain.js';
import { within } from './within.js';

/** Of the drain time: the window in which clients leave, when whoever is left is closed, and when that must be done. */
const WINDOW_SHARE = 0.2;
const CLOSE_SHARE = 0.6;
const CLOSED_SHARE = 0.75;
const POLL_MS = 50;
/** For the last bytes of a CLOSE to leave the kernel. */
const FAREWELL_MS = 100;
/** Where other nodes take the clients, each is back within this time of being told, but for the login itself. */
const RECONNECT_MS = 500;

/** How long a drain takes, milliseconds from its beginning. */
export interface DrainTimes {
  /** Clients leave. */
  readonly windowMs: number;
  /** Who is left is closed. */
  readonly closeMs: number;
  /** That is done. */
  readonly closedMs: number;
}

/** @param windowMs a longer or shorter window than the usual share; what comes after it takes as long as ever */
export function drainTimes(drainMs: number, windowMs = Math.floor(drainMs * WINDOW_SHARE)): DrainTimes {
  const moreMs = windowMs - Math.floor(drainMs * WINDOW_SHARE);
  return { windowMs, closeMs: drainMs * CLOSE_SHARE + moreMs, closedMs: drainMs * CLOSED_SHARE + moreMs };
}

export interface DrainOptions {
  /** Mailboxes of the access workers that are up. */
  readonly workers: readonly ActorRef[];
  readonly times: DrainTimes;
  /** Nodes that take the clients; with none they are all told at once and come back when somebody is there. */
  readonly targets: readonly DrainTarget[];
  /** A `GoAwayReason`. */
  readonly reason: number;
  /** Whether access listeners close too, as before a stop. */
  readonly closesListeners: boolean;
  readonly log: Logger;
}

/** Resolves when every connection has ended, by `times.closedMs`; never rejects. */
export async function drainConnections(options: DrainOptions): Promise<void> {
  const { workers, times, targets, reason, closesListeners, log } = options;
  const { windowMs, closeMs, closedMs } = times;
  const startedMs = performance.now();
  const ask = createAsk(workers, startedMs + closeMs, log);
  await ask(closesListeners ? 'stopAccepting' : 'closeDoor');
  let left = await countConnections(ask);
  if (left.connections === 0) return;
  log.info('draining', { connections: left.connections, windowMs, to: targets.map(({ name }) => name) });
  const isPaced = targets.length > 0;
  const pacing: DrainPacing | undefined = isPaced ? { windowMs, targets, reconnectMs: RECONNECT_MS } : undefined;
  await ask('drain', { reason, windowMs, pacing });
  const goneMs = windowMs + (isPaced ? RECONNECT_MS * 2 : 0);
  while (left.connections > 0 && performance.now() < startedMs + closeMs) {
    if (performance.now() - startedMs > goneMs && left.busy === 0) break;
    await sleep(POLL_MS);
    left = await countConnections(ask);
  }
  if (left.connections === 0) return;
  log.info('closing the connections that are left', left);
  await createAsk(workers, startedMs + closedMs, log)('closeAll');
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

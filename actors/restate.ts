/**
 * Says anew which routes the sessions of a worker hold, for an engine that has forgotten: part by part, with breaths
 * between, because pushes and logins go on. Who has lost its route to a newer login meanwhile is closed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RouteRestore } from './router-link.js';
import type { Worker } from './worker.js';

const PART = 500;
const PAUSE_MS = 20;

export interface Restated {
  readonly restored: number;
  /** Closed with `replaced`. */
  readonly refused: number;
}

/** Where the engine is away in between, the router goes on trying with what it was given. */
export async function restateRoutes(worker: Pick<Worker, 'router' | 'sessions'>): Promise<Restated> {
  const serials = [...worker.sessions.keys()];
  let restored = 0;
  let refused = 0;
  for (let from = 0; from < serials.length; from += PART) {
    if (from > 0) await delay(PAUSE_MS);
    const routes: RouteRestore[] = [];
    for (const serial of serials.slice(from, from + PART)) {
      const route = worker.sessions.get(serial)?.route;
      if (route !== undefined) routes.push(route);
    }
    if (routes.length === 0) continue;
    const stands = await worker.router.restore(routes);
    routes.forEach(({ serial }, i) => {
      if (stands?.[i] !== false) {
        restored += 1;
        return;
      }
      refused += 1;
      worker.sessions.get(serial)?.routeLost();
    });
  }
  return { restored, refused };
}

/**
 * One message to every device of an app, a page at a time: as many pages under way as keep the workers busy, so that
 * a million devices are never a million waiting pushes. What cannot be sent for overload is tried again for a while,
 * because half a broadcast helps nobody.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { DeviceRoute, RoutePage } from './engine-ports.js';
import { OverloadedError } from './errors.js';
import type { BroadcastResult, DeliveryResult } from './routing-service.js';

export const BROADCAST_PAGE = 1_000;
const PAGES_UNDER_WAY = 16;
const RETRY_MS = 20;
/** A page that finds the node overloaded for this long is given up. */
export const BROADCAST_PATIENCE_MS = 10_000;

export interface BroadcastPorts {
  nextPage(after: string | undefined): Promise<RoutePage>;
  isTarget(route: DeviceRoute): boolean;
  /** @throws {OverloadedError} nothing was sent */
  send(targets: readonly DeviceRoute[]): Promise<DeliveryResult[]>;
  now(): number;
}

type Counts = Record<DeliveryResult['result'], number>;

/** @throws {OverloadedError} from the first page on; nothing was sent */
export async function broadcast(ports: BroadcastPorts): Promise<BroadcastResult> {
  const results: Counts = { delivered: 0, offline: 0, expired: 0, dropped: 0, unknown: 0 };
  const underWay = new Set<Promise<void>>();
  let devices = 0;
  let after: string | undefined;
  do {
    const page = await ports.nextPage(after);
    const targets = page.routes.filter((route) => ports.isTarget(route));
    const isFirst = devices === 0;
    devices += targets.length;
    after = page.next;
    if (targets.length === 0) continue;
    const sending = sendPage(ports, targets, isFirst, results).finally(() => underWay.delete(sending));
    // Whoever waits below hears of one failure; those of others are the same story.
    sending.catch(() => {});
    underWay.add(sending);
    // Alone, so that an overload is told before anything is sent.
    if (isFirst || underWay.size >= PAGES_UNDER_WAY) await Promise.race(underWay);
  } while (after !== undefined);
  await Promise.all(underWay);
  return { devices, results };
}

async function sendPage(
  ports: BroadcastPorts,
  targets: readonly DeviceRoute[],
  isFirst: boolean,
  results: Counts,
): Promise<void> {
  const endMs = ports.now() + BROADCAST_PATIENCE_MS;
  for (;;) {
    try {
      for (const { result } of await ports.send(targets)) results[result] += 1;
      return;
    } catch (error) {
      if (!(error instanceof OverloadedError) || isFirst) throw error;
      if (ports.now() >= endMs) {
        results.dropped += targets.length;
        return;
      }
      await delay(RETRY_MS);
    }
  }
}

/**
 * What 10,000 clients do whose node dies: their schedule by the real policy, counted by the second at the survivors.
 * The survivors let in so many a second and refuse the rest, as a node that guards itself does.
 */
import test from 'ava';
import { DEFAULT_RETRY, RetryPolicy, type RetrySettings } from '../../sdk/backoff.js';
import { seededRandom } from '../support/seeded-random.js';

const CLIENTS = 10_000;

interface Storm {
  /** Connects that reached the survivors, by second. */
  readonly perSecond: number[];
  readonly perClient: number[];
  /** Until the last client was in. */
  readonly lastInMs: number;
}

/** @param acceptsPerSecond of all survivors together */
function storm(settings: RetrySettings, acceptsPerSecond: number): Storm {
  const random = seededRandom(7);
  const perSecond: number[] = [];
  const perClient = new Array<number>(CLIENTS).fill(0);
  const policies = perClient.map(() => new RetryPolicy());
  const due = new Map<number, number[]>();
  const schedule = (client: number, nowMs: number, isSilentLoss: boolean): void => {
    const atMs = nowMs + (policies[client] as RetryPolicy).nextDelayMs(settings, random(), nowMs, isSilentLoss);
    due.set(atMs, [...(due.get(atMs) ?? []), client]);
  };
  for (const policy of policies) policy.online(-60_000);
  for (let client = 0; client < CLIENTS; client++) schedule(client, 0, true);
  const accepted: number[] = [];
  let lastInMs = 0;
  for (let nowMs = 0; due.size > 0; nowMs++) {
    for (const client of due.get(nowMs) ?? []) {
      const second = Math.floor(nowMs / 1_000);
      perSecond[second] = (perSecond[second] ?? 0) + 1;
      perClient[client] = (perClient[client] ?? 0) + 1;
      (policies[client] as RetryPolicy).attempted(nowMs);
      accepted[second] = (accepted[second] ?? 0) + 1;
      if ((accepted[second] ?? 0) <= acceptsPerSecond) lastInMs = nowMs;
      else schedule(client, nowMs + 1, false);
    }
    due.delete(nowMs);
  }
  return { perSecond: Array.from(perSecond, (count = 0) => count), perClient, lastInMs };
}

test('storm: 10,000 clients whose node died come back over two seconds, evenly', (t) => {
  const { perSecond, perClient } = storm(DEFAULT_RETRY, CLIENTS);
  t.log(`connects per second: ${perSecond.join(', ')}`);
  t.is(perSecond.length, 2);
  t.true(Math.max(...perSecond) < 5_300);
  t.true(perClient.every((attempts) => attempts === 1));
});

test('storm: survivors that let 1,000 in a second are asked by fewer each second, and all are in within a minute', (t) => {
  const { perSecond, perClient, lastInMs } = storm(DEFAULT_RETRY, 1_000);
  t.log(`connects per second: ${perSecond.join(', ')}; last in after ${lastInMs} ms`);
  t.true(Math.max(...perSecond) < 7_000);
  // Whoever was refused spreads over ever longer times.
  t.true(Math.max(...perSecond.slice(4)) < 2_500);
  t.true(Math.max(...perClient) <= 12, 'nobody spends more than the budget');
  t.true(lastInMs < 60_000);
});

test('storm: the control layer widens it for services with more devices a node', (t) => {
  const { perSecond } = storm({ minMs: 5_000, maxMs: 60_000 }, CLIENTS);
  t.log(`connects per second: ${perSecond.join(', ')}`);
  t.is(perSecond.length, 20);
  t.true(Math.max(...perSecond) < 600);
});

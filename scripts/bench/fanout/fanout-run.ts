/** One measured fan-out: a pace of sending, a warm-up, a window, and the count of what never came. */
import { sleep } from '../load/clock.js';
import { RatePacer, type Send, WindowPacer } from '../load/pacer.js';
import { stampedPayload } from '../load/stamp.js';
import { BenchError } from '../measure/bench-error.js';
import { measureWindow, type Window } from '../measure/measured-window.js';
import type { Audience } from './audience.js';

export const WARM_MS = 1_500;
/** What is still under way after the window has this long to arrive. */
const DRAIN_MS = 10_000;

export interface FanoutRun extends Window {
  /** The server's CPU per delivery. */
  readonly cpuPerDeliveryUs: number;
  /** The same without its main thread, where a node takes the HTTP requests. */
  readonly accessCpuPerDeliveryUs: number;
  /** Of one core; above 1 when it had more. */
  readonly cpuShare: number;
  readonly deliveriesPerSecond: number;
  readonly deliveriesPerRead: number;
  readonly bytesPerDelivery: number;
  /** Deliveries that arrived in the window over those that were due in it. */
  readonly inTime: number;
  /** Deliveries that never arrived, of the whole run. */
  readonly lost: number;
  /** 99th percentile of how late the generator sent, µs; 0 when it sends as fast as it can. */
  readonly sendLagP99Us: number;
}

export interface Pace {
  readonly payloadBytes: number;
  readonly windowMs: number;
  /** Messages per second; without it, `broadcastsInFlight` are kept under way. */
  readonly perSecond?: number;
  readonly broadcastsInFlight?: number;
}

/** Lets a pacer keep its time inside the fleet's read callbacks, although the fleet is opened before it exists. */
export class PacerSlot {
  tick: () => void = () => {};
  readonly onReads = () => this.tick();
}

/** @throws {BenchError} a publication failed, a connection was lost */
export async function runFanout(audience: Audience, pace: Pace, slot: PacerSlot): Promise<FanoutRun> {
  const { fleet } = audience;
  const members = fleet.links.length;
  const pushesBefore = fleet.traffic.pushes;
  const send: Send = (dueUs) => audience.publish(stampedPayload(pace.payloadBytes, dueUs));
  const pacer =
    pace.perSecond !== undefined
      ? new RatePacer(pace.perSecond, send)
      : new WindowPacer(pace.broadcastsInFlight ?? 8, members, fleet.traffic, send);
  slot.tick = () => pacer.tick();
  pacer.start();
  await sleep(WARM_MS);
  const sentBefore = pacer.sent;
  if (pacer instanceof RatePacer) pacer.lag.clear();
  const window = await measureWindow(fleet, audience.pid, pace.windowMs);
  const due = (pacer.sent - sentBefore) * members;
  pacer.stop();
  slot.tick = () => {};
  const missing = () => pacer.sent * members - (fleet.traffic.pushes - pushesBefore);
  for (const endMs = performance.now() + DRAIN_MS; missing() > 0 && performance.now() < endMs; ) await sleep(50);
  const failure = audience.failure();
  if (failure !== undefined) throw new BenchError(failure);
  return {
    ...window,
    cpuPerDeliveryUs: window.cpuUs / window.pushes,
    accessCpuPerDeliveryUs: (window.cpuUs - window.mainThreadUs) / window.pushes,
    cpuShare: window.cpuUs / 1e6 / window.seconds,
    deliveriesPerSecond: window.pushes / window.seconds,
    deliveriesPerRead: window.pushes / window.reads,
    bytesPerDelivery: window.bytes / window.pushes,
    inTime: due === 0 ? 0 : window.pushes / due,
    lost: missing(),
    sendLagP99Us: pacer instanceof RatePacer ? pacer.lag.quantile(0.99) : 0,
  };
}

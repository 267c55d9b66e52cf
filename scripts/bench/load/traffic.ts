/**
 * What arrives at a fleet of connections, counted. Everything is a plain field because the scanner touches them
 * for every frame.
 */
import { Histogram } from './histogram.js';

export class Traffic {
  /** PUSH frames since the fleet was opened. */
  pushes = 0;
  /** RESPONSE frames since the fleet was opened. */
  responses = 0;
  /** Reads that carried a frame or a piece of one. */
  reads = 0;
  bytes = 0;
  /** While true, the latency of each stamped frame is recorded. */
  measuring = false;
  readonly latency = new Histogram();
}

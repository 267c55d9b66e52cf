/** What one access worker counts: plain numbers, because they are written on the hot path. */
import { OutcomeCode } from './outcome-batch.js';

export class WorkerCounters {
  accepted = 0;
  logins = 0;
  refusedLogins = 0;
  framesIn = 0;
  framesOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Pushes to single devices by outcome, by `OutcomeCode`. */
  readonly pushes = Object.values(OutcomeCode).map(() => 0);
  /** Messages handed to group members. */
  multicastDeliveries = 0;
  /** Pushes removed from slow connections' queues. */
  dropped = 0;
  /** Pushes whose time to live passed while they waited. */
  expired = 0;
  /** Requests of back-ends handed to devices. */
  calls = 0;
  /** Requests refused because their connection sent too many a second. */
  limitedRequests = 0;
  /** Reports passed over because their connection sent too many. */
  limitedReports = 0;
  /** Links cut off before they had a transport, by reason. */
  readonly refusedLinks = new Map<string, number>();
  /** TLS handshakes that succeeded: full ones, and sessions that were resumed. */
  readonly tlsHandshakes = { full: 0, resumed: 0 };
  /** Closed connections by close code; 0 when the peer went without one. */
  readonly closes = new Map<number, number>();

  refused(reason: string): void {
    this.refusedLinks.set(reason, (this.refusedLinks.get(reason) ?? 0) + 1);
  }

  secured(isResumed: boolean): void {
    this.tlsHandshakes[isResumed ? 'resumed' : 'full'] += 1;
  }

  closed(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }
}

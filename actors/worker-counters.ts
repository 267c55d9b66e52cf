/** What one access worker counts: plain numbers, because they are written on the hot path. */
export class WorkerCounters {
  accepted = 0;
  logins = 0;
  refusedLogins = 0;
  framesIn = 0;
  framesOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Pushes to single devices by outcome, by `OutcomeCode`. */
  readonly pushes = [0, 0, 0, 0, 0, 0];
  /** Messages handed to group members. */
  multicastDeliveries = 0;
  /** Pushes removed from slow connections' queues. */
  dropped = 0;
  /** Closed connections by close code; 0 when the peer went without one. */
  readonly closes = new Map<number, number>();

  closed(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }
}

/**
 * Pushes that a connection's kernel does not take: after a second the sender is told. Only connections with such
 * a push are here, so the timer usually does not run at all.
 */
const CHECK_MS = 100;

/** What still waits in our queue after this long is removed and reported `dropped: slow`. */
export const SLOW_AFTER_MS = 1_000;

export interface TicketHolder {
  /** Settles what waited too long. @returns whether tickets still wait */
  expireTickets(nowMs: number): boolean;
}

export class TicketDeadlines {
  readonly #holders = new Set<TicketHolder>();
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(holder: TicketHolder): void {
    this.#holders.add(holder);
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS).unref();
  }

  #check(): void {
    const nowMs = this.#now();
    for (const holder of this.#holders) {
      if (!holder.expireTickets(nowMs)) this.#holders.delete(holder);
    }
    if (this.#holders.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * Up to where the pushes of each business have arrived without a hole, for those pushes that want an ACK. Numbers
 * begin at 1 with each session; a connection is a session here, as nothing is resumed.
 */
export class PushAcks {
  readonly #contiguous = new Map<number, number>();

  /** @returns what to acknowledge; 0 for nothing yet */
  arrived(businessId: number, sequence: number): number {
    const highest = this.#contiguous.get(businessId) ?? 0;
    const next = sequence === highest + 1 ? sequence : highest;
    this.#contiguous.set(businessId, next);
    return next;
  }

  /** Another session begins. */
  reset(): void {
    this.#contiguous.clear();
  }
}

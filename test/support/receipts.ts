/**
 * What devices have in their hands, by message id, beside what back-ends were told: the two are compared when all is
 * over. A push reported `delivered` that its device never got is the one thing that must not happen.
 */
import type { DeliveryResult } from '../../sdk/backend/index.js';
import type { TrunklineClient } from '../../sdk/node.js';

type Result = DeliveryResult['result'];

interface Told extends DeliveryResult {
  readonly deviceId: string;
  readonly messageId: string;
}

export class Receipts {
  readonly #got = new Map<string, number>();
  /** By message id, devices that hold it. */
  readonly #holders = new Map<string, number>();
  readonly #told: Told[] = [];

  /** Counts what a client receives of a business. */
  watch(deviceId: string, client: TrunklineClient, business = 'im'): void {
    client.business(business).onPush(({ messageId }) => this.got(deviceId, messageId));
  }

  got(deviceId: string, messageId: string): void {
    const key = keyOf(deviceId, messageId);
    const times = this.#got.get(key) ?? 0;
    this.#got.set(key, times + 1);
    if (times === 0) this.#holders.set(messageId, this.countOf(messageId) + 1);
  }

  /** Notes what the back-end was told of one push. */
  told(deviceId: string, messageId: string, { result, reason }: DeliveryResult): void {
    this.#told.push({ deviceId, messageId, result, ...(reason === undefined ? {} : { reason }) });
  }

  timesGot(deviceId: string, messageId: string): number {
    return this.#got.get(keyOf(deviceId, messageId)) ?? 0;
  }

  /** How many devices hold this message. */
  countOf(messageId: string): number {
    return this.#holders.get(messageId) ?? 0;
  }

  /** Messages in devices' hands, each once. */
  get held(): number {
    return this.#got.size;
  }

  /** Pushes by what the back-end was told of them. */
  counts(): Partial<Record<Result, number>> {
    const counts: Partial<Record<Result, number>> = {};
    for (const { result } of this.#told) counts[result] = (counts[result] ?? 0) + 1;
    return counts;
  }

  /** Reported delivered, and not there. */
  missing(): Told[] {
    return this.#told.filter(({ deviceId, messageId, result }) => {
      return result === 'delivered' && this.timesGot(deviceId, messageId) === 0;
    });
  }

  /** Reported as certainly not delivered, and there all the same. */
  unexpected(): Told[] {
    return this.#told.filter(({ deviceId, messageId, result, reason }) => {
      const isDenied = result === 'offline' || result === 'expired' || reason === 'unreachable';
      return isDenied && this.timesGot(deviceId, messageId) > 0;
    });
  }

  /** In a device's hands more than once. */
  repeated(): string[] {
    return [...this.#got].filter(([, times]) => times > 1).map(([key]) => key);
  }
}

function keyOf(deviceId: string, messageId: string): string {
  return `${deviceId} ${messageId}`;
}

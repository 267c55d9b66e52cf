/** An actor whose handlers do one small thing each, for tests of what comedy does with it, on a thread or not. */
import { getHeapSpaceStatistics } from 'node:v8';
import { threadId } from 'node:worker_threads';

const GARBAGE_OBJECTS = 4_000_000;

export default class ProbeActor {
  #log: string[] = [];

  initialize(): void {}

  threadId(): number {
    return threadId;
  }

  /** How the handler was called. */
  argumentsOf(...args: unknown[]): { count: number; args: unknown[] } {
    return { count: args.length, args };
  }

  echo(message: unknown): unknown {
    return { message };
  }

  /** @returns the constructor's name of the message's bytes, and the bytes as hex */
  bytes({ bytes }: { bytes: Uint8Array }): { isUint8Array: boolean; hex: string } {
    return { isUint8Array: bytes instanceof Uint8Array, hex: Buffer.from(bytes).toString('hex') };
  }

  async slow({ name }: { name: string }): Promise<string[]> {
    this.#log.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    this.#log.push(`${name} ends`);
    return this.#log;
  }

  never(): Promise<never> {
    return new Promise(() => {});
  }

  /** Throws where no handler catches it. */
  dieLater(message: { afterMs: number } = { afterMs: 0 }): void {
    setTimeout(() => {
      throw new Error('probe died');
    }, message.afterMs);
  }

  keepBusyForEver(): void {
    setInterval(() => {}, 1_000);
  }

  /** @returns bytes that the young generation of this thread grew to under garbage */
  newSpaceBytes(): number {
    let kept: object[] = [];
    let max = 0;
    for (let i = 0; i < GARBAGE_OBJECTS; i++) {
      kept.push({ i });
      if (i % 100_000 !== 0) continue;
      const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
      max = Math.max(max, space?.space_size ?? 0);
      if (kept.length > 1_000_000) kept = [];
    }
    return max;
  }
}

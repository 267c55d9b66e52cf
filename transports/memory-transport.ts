/**
 * A link inside the process, for tests of everything above the contract: what was written is kept, the peer's
 * side is played by calling `receive`, and a slow kernel is `take`.
 */
import { RAW_ENVELOPE } from './envelopes.js';
import type { Envelope, Transport, TransportHandler } from './transport.js';
import { UNOWNED } from './unowned.js';

export class MemoryTransport implements Transport {
  readonly protocol = 'tcp';
  readonly remoteAddress = '127.0.0.1';
  readonly envelope: Envelope;
  handler: TransportHandler = UNOWNED;
  /** Every write, in order. */
  readonly writes: Uint8Array[] = [];
  /** Whether the kernel takes writes at once; when not, `take` does. */
  takesWrites = true;
  writableBytes = 0;
  closed: { readonly code: number; readonly reason: string } | undefined;
  #wantsDrain = false;

  constructor(envelope: Envelope = RAW_ENVELOPE) {
    this.envelope = envelope;
  }

  receive(bytes: Uint8Array): void {
    this.handler.onBytes(bytes);
  }

  /** The kernel takes everything that waits. */
  take(): void {
    this.takesWrites = true;
    this.writableBytes = 0;
    if (!this.#wantsDrain) return;
    this.#wantsDrain = false;
    this.handler.onDrain();
  }

  write(wire: Uint8Array): void {
    this.writes.push(wire);
    if (!this.takesWrites) this.writableBytes += wire.length;
  }

  writeIfIdle(wire: Uint8Array): boolean {
    if (this.writableBytes > 0) return false;
    this.write(wire);
    return true;
  }

  notifyDrain(): void {
    this.#wantsDrain = true;
  }

  allowMessageBytes(): void {}

  close(code: number, reason: string): void {
    if (this.closed !== undefined) return;
    this.closed = { code, reason };
    this.handler.onClose();
  }

  destroy(): void {
    this.close(0, 'destroyed');
  }
}

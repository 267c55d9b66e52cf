/**
 * quiche, as `@matrixai/quic` ships it: a binary that is loaded only where QUIC is switched on, since not every platform
 * has one. Only the bare binding is used; the package's own sockets and streams never load.
 *
 * @see docs/decisions/0070-quiche-native.md
 */
import type { Quiche } from '@matrixai/quic/native/quiche.js';
import { TrunklineError } from '../../protocol/index.js';

export type {
  Config as QuicheConfig,
  Connection as QuicheConnection,
  RecvInfo,
  SendInfo,
} from '@matrixai/quic/native/types.js';
export type { Quiche };

/** QUIC is switched on, and this platform has no binary of quiche, or the package was left out at the installation. */
export class QuicUnavailableError extends TrunklineError {
  readonly code = 'TRK_QUIC_UNAVAILABLE';
  constructor(cause: unknown) {
    const binary = `its binary for ${process.platform}-${process.arch}`;
    super(`QUIC needs the optional package @matrixai/quic and ${binary}: ${(cause as Error).message}`, { cause });
  }
}

/** @throws {QuicUnavailableError} */
export async function loadQuiche(): Promise<Quiche> {
  try {
    return (await import('@matrixai/quic/native/quiche.js')).default;
  } catch (cause) {
    throw new QuicUnavailableError(cause);
  }
}

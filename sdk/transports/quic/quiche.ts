/**
 * quiche for the client: an optional package with a binary, loaded at the first link and never by a program that opens
 * none. A client without it does not offer QUIC.
 */
import type { Quiche } from '@matrixai/quic/native/quiche.js';
import { QuicUnavailableError } from '../../errors.js';

export type { Quiche };

const PACKAGE = '@matrixai/quic';
const BINDING = `${PACKAGE}/native/quiche.js`;

/** Whether the package and its binary for this platform are installed. */
export function hasQuiche(): boolean {
  const { platform, arch } = process;
  // The Mac has one binary for both of its processors as well.
  const names = platform === 'darwin' ? [arch, 'universal'] : [arch];
  return isInstalled(BINDING) && names.some((name) => isInstalled(`${PACKAGE}-${platform}-${name}`));
}

/** @throws {QuicUnavailableError} */
export async function loadQuiche(): Promise<Quiche> {
  try {
    return ((await import(BINDING)) as { default: Quiche }).default;
  } catch (cause) {
    throw new QuicUnavailableError(cause);
  }
}

function isInstalled(specifier: string): boolean {
  try {
    import.meta.resolve(specifier);
    return true;
  } catch {
    return false;
  }
}

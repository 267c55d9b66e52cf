/**
 * Whether the other side of a port still lives: a port does not say when its other end is gone. A Web Lock is held for
 * as long as its page or worker exists and given on in the moment it does not, whatever ended it, so each side holds
 * one and waits for the other's. Pages that are not a secure context have no locks; there the two ends beat.
 */

/** The part of the platform's LockManager that is used. */
export interface LockManagerLike {
  request(
    name: string,
    options: { readonly signal?: AbortSignal },
    callback: () => Promise<void> | undefined,
  ): Promise<unknown>;
}

/** @returns once the lock is held; the function gives it up */
export function holdLock(locks: LockManagerLike, name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const held = locks.request(name, {}, () => new Promise<void>((release) => resolve(release)));
    held.catch(reject);
  });
}

/** Calls `onFree` once nobody holds the lock any more. @returns stops waiting */
export function awaitLock(locks: LockManagerLike, name: string, onFree: () => void): () => void {
  const abort = new AbortController();
  const free = (): undefined => {
    if (!abort.signal.aborted) onFree();
  };
  // Rejects when the wait is given up.
  locks.request(name, { signal: abort.signal }, free).catch(() => {});
  return () => abort.abort();
}

/** A lock's name that nobody else has. */
export function lockName(role: 'tab' | 'worker'): string {
  const [a, b] = crypto.getRandomValues(new Uint32Array(2));
  return `trunkline-${role}-${a?.toString(36)}${b?.toString(36)}`;
}

/** A wait that ends in any case. The timer goes with the answer, so that nothing outlives a node that stopped. */

/** @returns what `promise` resolves to, or `undefined` when `ms` milliseconds are over first */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

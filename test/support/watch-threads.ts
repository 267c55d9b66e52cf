/**
 * The threads that this process starts, in the order they start, and a way to make one crash as a fault in it would:
 * with an exception that nobody catches.
 */
import type { Worker } from 'node:worker_threads';
import type { ExecutionContext } from 'ava';

/** @returns grows as threads start, until the test is over */
export function watchThreads(t: ExecutionContext): Worker[] {
  const threads: Worker[] = [];
  const onWorker = (thread: Worker) => threads.push(thread);
  process.on('worker', onWorker);
  t.teardown(() => process.removeListener('worker', onWorker));
  return threads;
}

/** comedy reads a field of every message outside of any handler: of nothing it cannot. */
export function crash(thread: Worker | undefined): void {
  if (thread === undefined) throw new Error('no such thread');
  thread.postMessage(null);
}

/** A thread that has ended has no id. */
export function isRunning({ threadId }: Worker): boolean {
  return threadId !== -1;
}

/**
 * A threaded actor whose death is noticed. comedy does not look: when a thread dies its actor stays `ready`, and
 * what was asked of it hangs. Here the thread is watched from the moment it exists; on its end the actor is
 * marked `crashed`, which rejects everything pending, and taken out of its parent's children.
 *
 * The actor's `initialize` must do nothing: a thread that dies before comedy has its answer hangs the creation.
 */
import type { Worker as Thread } from 'node:worker_threads';
import type { ActorRef, ParentRef } from '../actors/index.js';

/** comedy's actor behind its client proxy, as far as supervision needs it. */
interface WrappedActor {
  readonly worker: Thread | undefined;
  readonly timeoutWorkerInterval: NodeJS.Timeout;
  _setState(state: string): void;
  emit(event: string, ...args: unknown[]): void;
}

interface ClientProxy extends ActorRef {
  getWrapped(): WrappedActor;
}

export interface ThreadedActor {
  readonly ref: ActorRef;
  /** Settles once, when the thread has ended for whatever reason. */
  readonly ended: Promise<Error>;
  /** Ends the thread now. */
  terminate(): Promise<void>;
}

/** @param modulePath from `actorPath` */
export async function createThreadedActor(parent: ParentRef, modulePath: string, name: string): Promise<ThreadedActor> {
  const ref = (await parent.createChild(modulePath, { mode: 'threaded', name })) as ClientProxy;
  const wrapped = ref.getWrapped();
  const thread = wrapped.worker;
  const ended = new Promise<Error>((resolve) => {
    if (thread === undefined) return resolve(new Error('thread ended while it started'));
    let cause: Error | undefined;
    thread.once('error', (error) => {
      cause = error as Error;
    });
    // The end is 'exit', not the 'error' before it: what the thread sent last is still read in between.
    thread.once('exit', (exitCode) => resolve(cause ?? new Error(`thread ended with exit code ${exitCode}`)));
  }).then((error) => {
    bury(wrapped);
    return error;
  });
  return {
    ref,
    ended,
    terminate: async () => {
      await thread?.terminate();
      await ended;
    },
  };
}

function bury(wrapped: WrappedActor): void {
  wrapped._setState('crashed');
  clearInterval(wrapped.timeoutWorkerInterval);
  wrapped.emit('destroyed', wrapped);
}

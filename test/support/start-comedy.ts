/** comedy as it comes, without `cluster/` around it: an actor system of its own, and the threads it made. */
import type { Worker } from 'node:worker_threads';
import type { ExecutionContext } from 'ava';
import { createSystem } from 'comedy';
import type { ActorRef, ParentRef } from '../../actors/index.js';
import { actorPath } from '../../cluster/actor-system.js';

/** comedy's actor behind its reference. */
export interface WrappedActor {
  readonly worker: Worker | undefined;
  readonly childPromises: readonly unknown[];
  /** Of a threaded actor: looks for late answers, and would keep the process alive. */
  readonly timeoutWorkerInterval: NodeJS.Timeout;
  getState(): string;
}

export interface ComedyRef extends ActorRef, ParentRef {
  getWrapped(): WrappedActor;
  getState(): string;
  tree(): Promise<ActorTree>;
}

export interface ActorTree {
  readonly name: string;
  readonly mode: string;
  readonly children?: readonly ActorTree[];
}

export interface Comedy {
  /** The root actor itself, not a reference to it. */
  readonly root: ParentRef & WrappedActor & { tree(): Promise<ActorTree> };
  readonly probePath: string;
  destroy(): Promise<unknown>;
}

export async function startComedy(t: ExecutionContext): Promise<Comedy> {
  // Each system listens to both signals until it is destroyed, and tests run side by side.
  process.setMaxListeners(0);
  const system = createSystem({ root: new RootActor(), config: {}, test: true });
  const root = (await system.rootActor()) as unknown as Comedy['root'];
  const destroy = async () => system.destroy();
  t.teardown(() => Promise.race([destroy(), pause(500)]));
  return { root, probePath: actorPath(import.meta.url, './probe-actor.js'), destroy };
}

class RootActor {}

export function pause(ms: number): Promise<'pending'> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, 'pending');
  });
}

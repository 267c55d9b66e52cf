/**
 * comedy, hidden from the rest: the root actor of a node is made here, with comedy's habits that do not suit a
 * server taken away. It reads no configuration files, does not end the process on signals, and never listens.
 */
import { fileURLToPath } from 'node:url';
import { type ActorSystem, createSystem } from 'comedy';
import type { ActorRef } from '../actors/index.js';

/** Absolute paths are marked by a doubled slash. */
export function actorPath(moduleUrl: string, file: string): string {
  return `/${fileURLToPath(new URL(file, moduleUrl))}`;
}

export interface RootActor {
  readonly ref: ActorRef;
  /** Ends every actor and what comedy leaves behind. */
  destroy(): Promise<void>;
}

/** @param root the finished actor object of the tree's root */
export async function createActorTree(root: object): Promise<RootActor> {
  const before = new Set(signalListeners());
  const system: ActorSystem = createSystem({
    root,
    config: {},
    logger: actorPath(import.meta.url, './comedy-logger.js'),
  });
  // comedy ends the process on SIGINT and SIGTERM; drain owns the signals.
  for (const { signal, listener } of signalListeners()) {
    if (![...before].some((known) => known.signal === signal && known.listener === listener)) {
      process.removeListener(signal, listener);
    }
  }
  const ref = (await system.rootActor()) as unknown as ActorRef;
  return {
    ref,
    destroy: async () => {
      await system.destroy();
    },
  };
}

interface SignalListener {
  readonly signal: 'SIGINT' | 'SIGTERM';
  readonly listener: NodeJS.SignalsListener;
}

function signalListeners(): SignalListener[] {
  return (['SIGINT', 'SIGTERM'] as const).flatMap((signal) =>
    process.listeners(signal).map((listener) => ({ signal, listener: listener as NodeJS.SignalsListener })),
  );
}

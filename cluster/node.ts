/** Starts a node and hands out what its owner needs; the rest happens in its actors. */
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import type { CurrentConfig, NodeConfig } from '../config/index.js';
import { createActorTree } from './actor-system.js';
import type { Credentials } from './credentials.js';
import type { Logger } from './logger.js';
import NodeActor, { type NodeAddresses } from './node-actor.js';
import { openEngine } from './open-engine.js';
import type { PolicyKeeper } from './policy-keeper.js';
import type { ReloadResult } from './reload.js';
import type { ServiceDefinition } from './service.js';
import type { NodeStatus } from './status.js';
import { within } from './within.js';

export interface NodeOptions {
  /** Taken over by the node: `reload` is what replaces it. */
  readonly config: CurrentConfig;
  readonly log: Logger;
  /** Keys that sign and verify device tokens, and what was revoked. */
  readonly credentials: Credentials;
  /** Has the state that operators set, as long as the node runs. */
  readonly policies: PolicyKeeper;
  /** What listens beside the access layer, started in this order. */
  readonly services: readonly ServiceDefinition[];
}

export interface NodeHandle {
  readonly addresses: NodeAddresses;
  /** The whole actor tree, access workers' threads included. */
  tree(): Promise<unknown>;
  /** This node at a glance. */
  status(): Promise<NodeStatus>;
  /**
   * Puts another configuration in force, for connections that exist as well; one call after the other.
   *
   * @returns the settings that changed, as paths
   * @throws {RestartNeededError} naming settings that cannot change while the node runs; nothing has changed
   * @throws {NodeNotRunningError} the node starts or stops
   */
  reload(config: NodeConfig): Promise<ReloadResult>;
  /** Drains, then ends everything, within `config.node.drainMs`. Twice is once. */
  stop(): Promise<void>;
  /** Resolves when the node has stopped, whoever asked for it: an operator may have it drained. */
  readonly stopped: Promise<void>;
}

const INCARNATION_BYTES = 8;

/**
 * V8 lets a thread's young generation grow to 130 MB, since comedy passes it no limits; an idle connection then
 * costs 12.2 KB instead of 7.4. Set before the first thread starts.
 */
const SEMI_SPACE_FLAG = '--max-semi-space-size=16';

/** By then everything has stopped; comedy waits for handlers that never return. */
const DESTROY_MS = 500;

/**
 * Nothing is left running when it throws.
 *
 * @throws {AddressUnavailableError} a port is taken
 * @throws {EngineNotReachedError} Redis was not there; {InvalidControlStateError} the embedded engine's file is no good;
 * {NodeNameTakenError} another node has this one's name
 */
export async function startNode({ config, log, credentials, policies, services }: NodeOptions): Promise<NodeHandle> {
  setFlagsFromString(SEMI_SPACE_FLAG);
  const incarnation = randomBytes(INCARNATION_BYTES).toString('hex');
  const node = new NodeActor({
    current: config,
    get config() {
      return config.value;
    },
    log,
    credentials,
    policies,
    services,
    incarnation,
    engine: await openEngine(config.value.engine, config.value.node.dataDir),
    onDrain: () => void stop(),
  });
  const { ref, destroy } = await createActorTree(node);
  let hasStopped: (stopping: Promise<void>) => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    hasStopped = resolve;
  });
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= node.stop().finally(() => within(DESTROY_MS, destroy()));
    hasStopped(stopping);
    return stopping;
  };
  try {
    const addresses = (await ref.sendAndReceive('start')) as NodeAddresses;
    return {
      addresses,
      tree: () => (ref as unknown as { tree(): Promise<unknown> }).tree(),
      status: () => node.status(),
      reload: (next) => node.reload(next),
      stop,
      stopped,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

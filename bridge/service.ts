/**
 * The bridge as the composition root adds it to a node.
 */
import type { ServiceDefinition } from '../cluster/index.js';
import BridgeActor from './bridge-actor.js';
import type { BridgeOptions } from './server.js';

export function createBridgeService(options: BridgeOptions = {}): ServiceDefinition {
  return { name: 'BridgeActor', actor: BridgeActor, options };
}

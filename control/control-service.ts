import type { ServiceDefinition } from '../cluster/index.js';
import ControlActor from './control-actor.js';
import type { ControlOptions } from './options.js';

/** The control layer for a node's list of services. */
export function createControlService(options: ControlOptions): ServiceDefinition {
  return { name: 'ControlActor', actor: ControlActor, options };
}

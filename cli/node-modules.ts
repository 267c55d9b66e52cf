/**
 * What only a process that runs a node needs: most of the start-up time, so it is loaded when a node is started and not
 * at every `--help`, `push`, or press of Tab.
 */
export { createLogger, loadQuiche } from '../cluster/index.js';
export { parsePolicies, readPolicyFile } from '../control/index.js';
export { startComposedNode } from './compose.js';
export { startDemo } from './run-demo.js';

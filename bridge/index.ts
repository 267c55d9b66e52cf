export { default as BridgeActor } from './bridge-actor.js';
export type { BridgeOptions } from './server.js';
export { createBridgeService } from './service.js';

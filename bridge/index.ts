export type { AdminPorts } from './admin/ports.js';
export type { DevicesAnswer, GroupsAnswer, RotationAnswer } from './admin/schemas.js';
export { default as BridgeActor } from './bridge-actor.js';
export type { BridgeOptions } from './server.js';
export { createBridgeService } from './service.js';

export type { ClusterAnswer, DrainAnswer } from './admin/cluster-schemas.js';
export type { AdminPorts } from './admin/ports.js';
export type { DevicesAnswer, GroupsAnswer, RotationAnswer } from './admin/schemas.js';
export { default as BridgeActor } from './bridge-actor.js';
export type { BridgeOptions, BridgePlugin } from './server.js';
export { createBridgeService } from './service.js';

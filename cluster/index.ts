export { AddressUnavailableError } from './listen-addresses.js';
export { createLogger, type Logger, type LoggerOptions } from './logger.js';
export { type NodeHandle, type NodeOptions, startNode } from './node.js';
export type { NodeAddresses } from './node-actor.js';
export type { ActorSelf, NodeView, ServiceActor, ServiceContext, ServiceDefinition } from './service.js';

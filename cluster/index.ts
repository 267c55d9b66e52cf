export type { ActorSelf, NodeView, ServiceActor, ServiceContext, ServiceDefinition } from './service.js';

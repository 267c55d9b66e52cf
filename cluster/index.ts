export type { Rotation } from '../tokens/index.js';
export { ACCESS_PROTOCOLS, type AccessProtocol, loadQuiche } from '../transports/index.js';
export { InvalidCertificateError } from './certificates.js';
export { Credentials, type CredentialsOptions } from './credentials.js';
export { type DrainRequest, type DrainStarted, NoSuchTargetError } from './drain-request.js';
export type { ControlState, NodeLease, NodeRecord, NodeRole } from './engines/contract/index.js';
export { ControlStateFullError, InvalidControlStateError } from './engines/contract/index.js';
export { AddressUnavailableError } from './listen-addresses.js';
export { createLogger, type Logger, type LoggerOptions } from './logger.js';
export { type ClusterStatus, type NodeGlance, NodeNameTakenError } from './membership/index.js';
export { type NodeHandle, type NodeOptions, startNode } from './node.js';
export type { NodeAddresses } from './node-actor.js';
export type { PolicyFigures, PolicyKeeper } from './policy-keeper.js';
export { NodeNotRunningError, type ReloadResult, RestartNeededError } from './reload.js';
export {
  MAX_REVOCATIONS,
  RevocationNotSpreadError,
  type RevocationRequest,
  type RevocationResult,
  TooManyRevocationsError,
} from './revocations.js';
export { InvalidRevocationsError } from './revocations-file.js';
export type {
  AccessAddresses,
  ActorSelf,
  NodeView,
  ServiceActor,
  ServiceContext,
  ServiceDefinition,
} from './service.js';
export { KeysNotDistributedError } from './signing-rotation.js';
export { type NodeState, type NodeStatus, VERSION, type WorkerFigures, type WorkerStatus } from './status.js';

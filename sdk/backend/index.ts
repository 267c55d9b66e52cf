/** For back-ends on Node: the bridge as methods, and the webhook's two ends. */
export { Status } from '../../protocol/index.js';
export { InvalidArgumentError, InvalidOptionError } from '../errors.js';
export { encodeUpstreamAnswer, type UpstreamAnswer } from './answer.js';
export type {
  BatchAnswer,
  BroadcastAnswer,
  BulkResult,
  CallAnswer,
  DeliveryResult,
  DeviceDelivery,
  GroupInfo,
  GroupPage,
  IssuedToken,
  LineError,
  MembershipAnswer,
  MulticastAnswer,
  PresenceAnswer,
  UnicastAnswer,
  UserAnswer,
  UserPresenceAnswer,
} from './answers.js';
export {
  type AppChoice,
  BackEndClient,
  type BackEndClientOptions,
  DEFAULT_CALL_DEADLINE_MS,
  DEFAULT_CONNECTIONS,
  DEFAULT_TIMEOUT_MS,
  type DeviceCall,
  type PageOptions,
  type PushMessage,
  type PushOptions,
  type RevocationTarget,
  type TokenRequest,
} from './back-end-client.js';
export type { BulkPush } from './bulk.js';
export { BridgeError, BridgeUnreachableError, type FieldProblem, MalformedWebhookError } from './errors.js';
export {
  type ConnectionEvent,
  parseUpstreamRequest,
  parseWebhook,
  UpstreamRequest,
  verifyWebhook,
  type WebhookEvent,
  type WebhookInput,
  type WebhookRefusal,
  type WebhookVerdict,
} from './webhook.js';

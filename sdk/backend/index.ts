/** For back-ends on Node: the bridge as methods, and the webhook's two ends. */
export { Status } from '../../protocol/index.js';
export { InvalidArgumentError, InvalidOptionError } from '../errors.js';
export { encodeUpstreamAnswer, type UpstreamAnswer } from './answer.js';
export type {
  BatchAnswer,
  DeliveryResult,
  GroupInfo,
  IssuedToken,
  MembershipAnswer,
  MulticastAnswer,
  PresenceAnswer,
  UnicastAnswer,
} from './answers.js';
export {
  type AppChoice,
  BackEndClient,
  type BackEndClientOptions,
  DEFAULT_CONNECTIONS,
  DEFAULT_TIMEOUT_MS,
  type PushMessage,
  type TokenRequest,
} from './back-end-client.js';
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

/** The environment-free core; `browser.ts` and `node.ts` add what their platforms bring. */
export {
  CloseCode,
  GapReason,
  GoAwayReason,
  type ReconnectAdvice,
  Status,
  type StringMap,
  TrunklineError,
} from '../protocol/index.js';
export type { RetrySettings } from './backoff.js';
export type { Bootstrap } from './bootstrap.js';
export type { BusinessChannel } from './business-channel.js';
export type { RequestOptions } from './calls.js';
export type { PushListener } from './channel-listeners.js';
export { TrunklineClient } from './client.js';
export type { ClientState } from './client-state.js';
export type { Clock } from './clock.js';
export {
  BootstrapError,
  BusinessNotGrantedError,
  ClientClosedError,
  ConnectError,
  ConnectionLostError,
  DeadlineExceededError,
  IllegalStateError,
  InvalidArgumentError,
  InvalidOptionError,
  NoTransportError,
  PayloadTooLargeError,
  RequestCancelledError,
  RequestError,
  RequestQueueFullError,
} from './errors.js';
export type { ClientEvent, ClientEventOf, ClientEventType } from './events.js';
export type { Membership } from './memberships.js';
export type { Message, PayloadInput, Push, Reply } from './message.js';
export {
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_MAX_QUEUED_REQUESTS,
  DEFAULT_REQUEST_DEADLINE_MS,
  SDK_VERSION,
  type TrunklineClientOptions,
} from './options.js';
export type { HeartbeatMemory, ReportSettings } from './pulse/pulse.js';
export type { RequestHandler, ServedReply, ServedRequest } from './served-requests.js';
export {
  type DeviceIdentity,
  type IdentityStorage,
  memoryStorage,
  type WebStorageLike,
  webStorage,
} from './storage.js';
export type { Connector, Connectors, Link, LinkHandlers, Protocol } from './transports/connector.js';
export { type WebSocketConstructor, type WebSocketLike, webSocketConnector } from './transports/websocket-connector.js';

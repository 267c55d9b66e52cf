export { GroupNotFoundError, OverloadedError } from './errors.js';
export type { BackEnd, DeviceClaims, DeviceKey, TokenVerifier, UpstreamCall, UpstreamReply } from './ports.js';
export type {
  DeliveryResult,
  GroupInfo,
  MembershipResult,
  MulticastResult,
  Presence,
  PushMessage,
  RoutingService,
} from './routing-service.js';

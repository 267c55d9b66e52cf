export { closeWord, statusName } from './code-names.js';
export {
  CloseCode,
  GapReason,
  GoAwayReason,
  PushFlag,
  type ReconnectAdvice,
  reconnectAdvice,
  Status,
} from './codes.js';
export { decodeFrame } from './decode-frame.js';
export { decodeServerFrame } from './decode-server-frame.js';
export { checkSentBy, isSentBy, type Side } from './direction.js';
export { encodeClientFrame } from './encode-client-frame.js';
export { encodeFrame } from './encode-frame.js';
export {
  FrameTooLargeError,
  MalformedFrameError,
  ProtocolError,
  TrunklineError,
  UnexpectedFrameError,
} from './errors.js';
export { FrameDecoder, type RawFrame } from './frame-decoder.js';
export {
  type AckFrame,
  type AuthFrame,
  type CancelFrame,
  type ClientFrame,
  type CloseFrame,
  type ConnackFrame,
  type ConnectFrame,
  type Frame,
  FrameType,
  type GapFrame,
  type GoAwayFrame,
  type GrantedBusiness,
  type JoinFrame,
  type LeaveFrame,
  type PingFrame,
  type PongFrame,
  PROTOCOL_VERSION,
  type PushFrame,
  type ReportFrame,
  type RequestFrame,
  type ResponseFrame,
  type Resume,
  type ServerFrame,
  type StringMap,
} from './frames.js';
export {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_MAX_GROUPS,
  DEFAULT_MAX_IN_FLIGHT,
  HEADER_BYTES,
  MAX_ACCESS_POINT_BYTES,
  MAX_BUSINESSES,
  MAX_DECLARABLE_BYTES,
  MAX_DEVICE_ID_BYTES,
  MAX_HANDSHAKE_BYTES,
  MAX_HANDSHAKE_FRAME_BYTES,
  MAX_MAP_ENTRIES,
  MAX_MAP_KEY_BYTES,
  MAX_MAP_VALUE_BYTES,
  MAX_NAME_BYTES,
  MAX_REASON_BYTES,
  MAX_RESUME_SECRET_BYTES,
  MAX_TOKEN_BYTES,
} from './limits.js';
export { utf8Length } from './text.js';
export {
  CANONICAL_VERSION,
  CE_PREFIX,
  CE_SPEC_VERSION,
  CONNECTED_EVENT_TYPE,
  canonicalText,
  DEFAULT_CONTENT_TYPE,
  DISCONNECTED_EVENT_TYPE,
  decodeHeaderValue,
  deviceSource,
  encodeHeaderValue,
  type HeaderMap,
  headerValue,
  isMetadataKey,
  META_PREFIX,
  REQUEST_EVENT_TYPE,
  SIGNATURE_HEADER,
  SIGNATURE_TOLERANCE_MS,
  STATUS_HEADER,
  signatureDigests,
  TIMESTAMP_HEADER,
} from './webhook.js';

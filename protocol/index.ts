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
  type StringMap,
} from './frames.js';
export {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_MAX_GROUPS,
  DEFAULT_MAX_IN_FLIGHT,
  HEADER_BYTES,
  MAX_BUSINESSES,
  MAX_DECLARABLE_BYTES,
  MAX_DEVICE_ID_BYTES,
  MAX_HANDSHAKE_FRAME_BYTES,
  MAX_MAP_ENTRIES,
  MAX_MAP_KEY_BYTES,
  MAX_MAP_VALUE_BYTES,
  MAX_NAME_BYTES,
  MAX_REASON_BYTES,
  MAX_TOKEN_BYTES,
} from './limits.js';
export { utf8Length } from './text.js';

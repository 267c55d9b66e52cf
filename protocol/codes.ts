/**
 * The numbers of the wire protocol. A close code's range tells a client what to do without knowing the code:
 * 4000-4499 come back (4100-4199 with a new token), 4500-4999 stay away.
 *
 * @see docs/protocol.md, "Codes"; docs/errors.md
 */

/** Outcome of a REQUEST, JOIN, LEAVE, AUTH or login: the gRPC canonical codes. */
export const Status = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

export const CloseCode = {
  /** The server stops or moves its connections; come back at the moment GOAWAY advised. */
  goingAway: 4000,
  /** The peer fell silent: too many heartbeats went unanswered. */
  heartbeatTimeout: 4001,
  /** No CONNECT within the handshake time. */
  handshakeTimeout: 4002,
  /** The connection did not drain its outbound queue. */
  slowConsumer: 4003,
  /** The node refuses new work for now. */
  overloaded: 4004,
  /** A fault of the server. */
  internal: 4005,
  /** The token is not one this service accepts: wrong signature, issuer, audience or form. */
  invalidToken: 4100,
  /** The token's time is over. */
  tokenExpired: 4101,
  /** The client ends the connection and has no complaint. */
  normal: 4500,
  malformedFrame: 4501,
  frameTooLarge: 4502,
  unexpectedFrame: 4503,
  /** No protocol version in common. */
  unsupportedVersion: 4504,
  /** A newer login of the same device took its place. */
  replaced: 4505,
  /** An operator or the app's back-end ended the connection. */
  kicked: 4506,
  /** More requests or joins than the agreed limits allow, repeatedly or by far. */
  policyViolation: 4507,
  /** The web page that opened the WebSocket is of an origin that the token's app does not list. */
  originNotAllowed: 4508,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** What a client may do about a close code it has never seen. */
export type ReconnectAdvice = 'reconnect' | 'new-token' | 'stay-away';

export function reconnectAdvice(closeCode: number): ReconnectAdvice {
  if (closeCode >= 4500 && closeCode <= 4999) return 'stay-away';
  if (closeCode >= 4100 && closeCode <= 4199) return 'new-token';
  return 'reconnect';
}

/** Why a GAP is told. */
export const GapReason = {
  /** The connection read too slowly and its business's policy dropped pushes. */
  slowConsumer: 1,
  /** Membership ended from the server side: removed or dissolved; nothing more comes from this group. */
  membershipEnded: 2,
  /** The wanted history is gone; the stream goes on from now. */
  historyLost: 3,
} as const;
export type GapReason = (typeof GapReason)[keyof typeof GapReason];

/** Why a GOAWAY is told. */
export const GoAwayReason = {
  /** The node stops or restarts. */
  draining: 1,
  /** The node sheds load. */
  rebalancing: 2,
} as const;
export type GoAwayReason = (typeof GoAwayReason)[keyof typeof GoAwayReason];

/** Bits of a PUSH's flags; others are reserved and ignored. */
export const PushFlag = { needsAck: 1, multicast: 2 } as const;

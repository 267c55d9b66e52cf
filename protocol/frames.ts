/**
 * Every frame of wire protocol version 1 as a TypeScript type, told apart by `type`. Field order here is field
 * order on the wire.
 *
 * @see docs/protocol.md, "Frames"
 */

export const FrameType = {
  connect: 0x01,
  connack: 0x02,
  ping: 0x03,
  pong: 0x04,
  request: 0x05,
  response: 0x06,
  cancel: 0x07,
  push: 0x08,
  ack: 0x09,
  join: 0x0a,
  leave: 0x0b,
  auth: 0x0c,
  gap: 0x0d,
  goaway: 0x0e,
  close: 0x0f,
  report: 0x10,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Unknown types from here up are extensions and skipped. */
export const FIRST_EXTENSION_TYPE = 0x40;

export const PROTOCOL_VERSION = 1;

/** "TRK", the first three bytes of CONNECT. */
export const MAGIC: readonly number[] = [0x54, 0x52, 0x4b];

/** String pairs; keys of one map are unique, their order says nothing. Decoded maps have no prototype. */
export type StringMap = Readonly<Record<string, string>>;

export interface Resume {
  readonly sessionId: string;
  /** As CONNACK gave it; opaque. */
  readonly secret: Uint8Array;
  /** Last sequence seen, per business id. */
  readonly sequences: readonly { readonly businessId: number; readonly sequence: number }[];
}

export interface ConnectFrame {
  readonly type: typeof FrameType.connect;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly token: string;
  /** Client attributes: `platform`, `app-version`, `sdk-version`, `network`... */
  readonly attributes: StringMap;
  readonly resume?: Resume | undefined;
}

export interface GrantedBusiness {
  readonly id: number;
  readonly name: string;
}

export interface ConnackFrame {
  readonly type: typeof FrameType.connack;
  /** 0 when online; otherwise a CLOSE follows and the fields after `version` are empty. */
  readonly status: number;
  readonly version: number;
  readonly connectionId: string;
  readonly sessionId: string;
  readonly resumeSecret: Uint8Array;
  readonly resumed: boolean;
  readonly heartbeatMs: number;
  /** Milliseconds since the Unix epoch. */
  readonly serverTimeMs: number;
  readonly maxFrameBytes: number;
  readonly maxInFlight: number;
  readonly maxGroups: number;
  readonly businesses: readonly GrantedBusiness[];
}

export interface PingFrame {
  readonly type: typeof FrameType.ping;
  readonly opaque: number;
}

export interface PongFrame {
  readonly type: typeof FrameType.pong;
  readonly opaque: number;
}

export interface RequestFrame {
  readonly type: typeof FrameType.request;
  /** Chosen by the side that asks; unique among its open requests. */
  readonly requestId: number;
  readonly businessId: number;
  readonly method: string;
  readonly metadata: StringMap;
  /** How long the asking side will wait; 0 leaves it to the answering side's default. */
  readonly deadlineMs: number;
  readonly payload: Uint8Array;
}

export interface ResponseFrame {
  readonly type: typeof FrameType.response;
  readonly requestId: number;
  readonly status: number;
  readonly metadata: StringMap;
  readonly payload: Uint8Array;
}

export interface CancelFrame {
  readonly type: typeof FrameType.cancel;
  readonly requestId: number;
}

export interface PushFrame {
  readonly type: typeof FrameType.push;
  readonly businessId: number;
  readonly messageId: string;
  /** Present on a multicast (flag 2). */
  readonly multicast?: { readonly group: string; readonly offset: number } | undefined;
  /** Present when an ACK is wanted (flag 1). */
  readonly sequence?: number | undefined;
  readonly metadata: StringMap;
  readonly payload: Uint8Array;
}

export interface AckFrame {
  readonly type: typeof FrameType.ack;
  readonly businessId: number;
  /** Highest contiguous sequence of that business. */
  readonly sequence: number;
}

export interface JoinFrame {
  readonly type: typeof FrameType.join;
  readonly requestId: number;
  readonly businessId: number;
  readonly group: string;
  readonly recover?: { readonly epoch: string; readonly offset: number } | undefined;
}

export interface LeaveFrame {
  readonly type: typeof FrameType.leave;
  readonly requestId: number;
  readonly businessId: number;
  readonly group: string;
}

export interface AuthFrame {
  readonly type: typeof FrameType.auth;
  readonly requestId: number;
  readonly token: string;
}

export interface GapFrame {
  readonly type: typeof FrameType.gap;
  readonly businessId: number;
  /** Empty for pushes to the device itself. */
  readonly group: string;
  readonly dropped: number;
  readonly reason: number;
}

export interface GoAwayFrame {
  readonly type: typeof FrameType.goaway;
  readonly reason: number;
  /** The client reconnects at a random moment in this window. */
  readonly windowMs: number;
  /** Access point to prefer, empty for none. */
  readonly accessPoint: string;
}

export interface CloseFrame {
  readonly type: typeof FrameType.close;
  readonly code: number;
  readonly reason: string;
}

export interface ReportFrame {
  readonly type: typeof FrameType.report;
  readonly measurements: StringMap;
}

type SymmetricFrame = PingFrame | PongFrame | RequestFrame | ResponseFrame | CancelFrame | CloseFrame;

/** Those that a client sends. */
export type ClientFrame = SymmetricFrame | ConnectFrame | AckFrame | JoinFrame | LeaveFrame | AuthFrame | ReportFrame;

/** Those that a server sends. */
export type ServerFrame = SymmetricFrame | ConnackFrame | PushFrame | GapFrame | GoAwayFrame;

export type Frame = ClientFrame | ServerFrame;

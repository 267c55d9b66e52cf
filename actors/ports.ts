/**
 * What the actors need from outside, each a port of a few methods that `cluster/` fills in: who a token speaks
 * for, a business's back-end, where routes and groups are kept.
 */
import type { StringMap } from '../protocol/index.js';
import type { AccessProtocol } from '../transports/index.js';
import type { ClientKind } from './client-kinds.js';

/** The address of a push. `deviceId` is 1 to 64 bytes of UTF-8. */
export interface DeviceKey {
  readonly app: string;
  readonly deviceId: string;
}

/** What a verified token says. */
export interface DeviceClaims extends DeviceKey {
  /** Different for every token. */
  readonly jti: string;
  readonly uid?: string | undefined;
  /** Names of granted businesses. */
  readonly businesses: readonly string[];
  /** Per business name, the groups this device may join; `*` ends a prefix. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

export interface TokenVerifier {
  /**
   * Without a promise when the token was verified a moment ago, as in a reconnect storm.
   *
   * @throws an error with a `closeCode` of 4100 (not acceptable) or 4101 (expired)
   */
  verify(token: string): DeviceClaims | Promise<DeviceClaims>;
}

/** Whether one more device may log in, counted over the whole node. */
export interface LoginDoor {
  /** No login would succeed now. */
  isFull(): boolean;
  /** Takes a place. @returns false when there is none */
  enter(): boolean;
  /** Gives a place back. */
  leave(): void;
}

/** Adds up what clients measured. */
export interface MeasurementSink {
  /** @param measurements of one REPORT, as they came: nothing in them has been checked */
  take(kind: ClientKind, protocol: AccessProtocol, measurements: StringMap): void;
}

/** One upstream request, as a business's back-end is to see it. */
export interface UpstreamCall {
  readonly device: DeviceKey;
  readonly uid?: string | undefined;
  /** Printable connection id. */
  readonly connectionId: string;
  readonly method: string;
  readonly metadata: StringMap;
  readonly payload: Uint8Array;
  /** What the client will wait; 0 leaves it to the business's limit. */
  readonly deadlineMs: number;
  /** The client's CANCEL, or the end of its connection. */
  readonly signal: AbortSignal;
}

export interface UpstreamReply {
  /** A `Status`. */
  readonly status: number;
  readonly metadata: StringMap;
  readonly payload: Uint8Array;
}

/** One business's back-end as one access worker sees it: pool, queue, deadline and breaker are inside. */
export interface BackEnd {
  /** Never rejects: whatever goes wrong is a status. */
  request(call: UpstreamCall): Promise<UpstreamReply>;
  /** Lets requests under way end, refuses new ones. */
  close(): Promise<void>;
}

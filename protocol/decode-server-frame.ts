/**
 * The fields of what a server sends, read and checked: all that a client has to read. One function per frame type, in
 * the order of the types.
 *
 * @see docs/protocol.md, "Frames"
 */
import { PushFlag } from './codes.js';
import { UnexpectedFrameError } from './errors.js';
import type { RawFrame } from './frame-decoder.js';
import {
  type ConnackFrame,
  FIRST_EXTENSION_TYPE,
  FrameType,
  type GrantedBusiness,
  type PushFrame,
  type ServerFrame,
} from './frames.js';
import {
  MAX_ACCESS_POINT_BYTES,
  MAX_BUSINESSES,
  MAX_NAME_BYTES,
  MAX_REASON_BYTES,
  MAX_RESUME_SECRET_BYTES,
} from './limits.js';
import { FieldReader } from './reader.js';

/**
 * @returns the frame, or `undefined` for an extension type, which is skipped
 * @throws {MalformedFrameError} the fields are not in their form
 * @throws {UnexpectedFrameError} a type below 0x40 that a server never sends
 */
export function decodeServerFrame(raw: RawFrame): ServerFrame | undefined {
  const reader = new FieldReader(raw.body);
  const frame = readServerFields(raw.type, reader, 'is never sent by a server');
  if (frame !== undefined) reader.end();
  return frame;
}

/** @param unexpected what is wrong with a type that is not in here */
export function readServerFields(type: number, reader: FieldReader, unexpected: string): ServerFrame | undefined {
  switch (type) {
    case FrameType.connack:
      return readConnack(reader);
    case FrameType.ping:
    case FrameType.pong:
      return { type, opaque: reader.varint('opaque') };
    case FrameType.request:
      return {
        type,
        requestId: reader.varint('request id'),
        businessId: reader.varint('business id'),
        method: reader.name('method', MAX_NAME_BYTES),
        metadata: reader.map('metadata'),
        deadlineMs: reader.varint('deadline'),
        payload: reader.rest(),
      };
    case FrameType.response:
      return {
        type,
        requestId: reader.varint('request id'),
        status: reader.varint('status'),
        metadata: reader.map('metadata'),
        payload: reader.rest(),
      };
    case FrameType.cancel:
      return { type, requestId: reader.varint('request id') };
    case FrameType.push:
      return readPush(reader);
    case FrameType.gap:
      return {
        type,
        businessId: reader.varint('business id'),
        group: reader.name('group', MAX_NAME_BYTES),
        dropped: reader.varint('dropped'),
        reason: reader.varint('reason'),
      };
    case FrameType.goaway:
      return {
        type,
        reason: reader.varint('reason'),
        windowMs: reader.varint('window'),
        accessPoint: reader.string('access point', MAX_ACCESS_POINT_BYTES),
      };
    case FrameType.close:
      return { type, code: reader.varint('code'), reason: reader.string('reason', MAX_REASON_BYTES) };
    default:
      if (type >= FIRST_EXTENSION_TYPE) return undefined;
      throw new UnexpectedFrameError(type, unexpected);
  }
}

function readConnack(reader: FieldReader): ConnackFrame {
  return {
    type: FrameType.connack,
    status: reader.varint('status'),
    version: reader.varint('version'),
    connectionId: reader.string('connection id', MAX_NAME_BYTES),
    sessionId: reader.string('session id', MAX_NAME_BYTES),
    resumeSecret: reader.bytes('resume secret', MAX_RESUME_SECRET_BYTES),
    resumed: reader.flag('resumed'),
    heartbeatMs: reader.varint('heartbeat'),
    serverTimeMs: reader.varint('server time'),
    maxFrameBytes: reader.varint('frame limit'),
    maxInFlight: reader.varint('request limit'),
    maxGroups: reader.varint('group limit'),
    businesses: readBusinesses(reader),
  };
}

function readBusinesses(reader: FieldReader): GrantedBusiness[] {
  const businesses = [];
  for (let left = reader.count('businesses', MAX_BUSINESSES); left > 0; left--) {
    businesses.push({ id: reader.varint('business id'), name: reader.name('business name', MAX_NAME_BYTES) });
  }
  return businesses;
}

function readPush(reader: FieldReader): PushFrame {
  const businessId = reader.varint('business id');
  const flags = reader.varint('flags');
  return {
    type: FrameType.push,
    businessId,
    messageId: reader.string('message id', MAX_NAME_BYTES),
    multicast:
      (flags & PushFlag.multicast) === 0
        ? undefined
        : { group: reader.name('group', MAX_NAME_BYTES), offset: reader.varint('offset') },
    sequence: (flags & PushFlag.needsAck) === 0 ? undefined : reader.varint('sequence'),
    metadata: reader.map('metadata'),
    payload: reader.rest(),
  };
}

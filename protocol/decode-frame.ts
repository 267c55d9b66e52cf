/**
 * A raw frame's fields, of either direction, read and checked: those of a client here, in the order of the types, the
 * others next door.
 *
 * @see docs/protocol.md, "Frames"
 */
import { readServerFields } from './decode-server-frame.js';
import { MalformedFrameError } from './errors.js';
import type { RawFrame } from './frame-decoder.js';
import { type ConnectFrame, type Frame, FrameType, type JoinFrame, MAGIC, type Resume } from './frames.js';
import { MAX_BUSINESSES, MAX_NAME_BYTES, MAX_RESUME_SECRET_BYTES, MAX_TOKEN_BYTES } from './limits.js';
import { FieldReader } from './reader.js';

/**
 * @returns the frame, or `undefined` for an extension type, which is skipped
 * @throws {MalformedFrameError} the fields are not in their form
 * @throws {UnexpectedFrameError} a type below 0x40 that version 1 does not know
 */
export function decodeFrame(raw: RawFrame): Frame | undefined {
  const reader = new FieldReader(raw.body);
  const frame = readFields(raw.type, reader);
  if (frame !== undefined) reader.end();
  return frame;
}

function readFields(type: number, reader: FieldReader): Frame | undefined {
  switch (type) {
    case FrameType.connect:
      return readConnect(reader);
    case FrameType.ack:
      return { type, businessId: reader.varint('business id'), sequence: reader.varint('sequence') };
    case FrameType.join:
      return readJoin(reader);
    case FrameType.leave:
      return {
        type,
        requestId: reader.varint('request id'),
        businessId: reader.varint('business id'),
        group: reader.name('group', MAX_NAME_BYTES),
      };
    case FrameType.auth:
      return { type, requestId: reader.varint('request id'), token: reader.string('token', MAX_TOKEN_BYTES) };
    case FrameType.report:
      return { type, measurements: reader.map('measurements') };
    default:
      return readServerFields(type, reader, 'is unknown to version 1');
  }
}

function readConnect(reader: FieldReader): ConnectFrame {
  if (!reader.literal(MAGIC)) throw new MalformedFrameError('magic is not TRK');
  return {
    type: FrameType.connect,
    minVersion: reader.varint('lowest version'),
    maxVersion: reader.varint('highest version'),
    token: reader.string('token', MAX_TOKEN_BYTES),
    attributes: reader.map('attributes'),
    resume: reader.flag('resume') ? readResume(reader) : undefined,
  };
}

function readResume(reader: FieldReader): Resume {
  const sessionId = reader.string('session id', MAX_NAME_BYTES);
  const secret = reader.bytes('resume secret', MAX_RESUME_SECRET_BYTES);
  const sequences = [];
  for (let left = reader.count('sequences', MAX_BUSINESSES); left > 0; left--) {
    sequences.push({ businessId: reader.varint('business id'), sequence: reader.varint('sequence') });
  }
  return { sessionId, secret, sequences };
}

function readJoin(reader: FieldReader): JoinFrame {
  return {
    type: FrameType.join,
    requestId: reader.varint('request id'),
    businessId: reader.varint('business id'),
    group: reader.name('group', MAX_NAME_BYTES),
    recover: reader.flag('recover')
      ? { epoch: reader.string('epoch', MAX_NAME_BYTES), offset: reader.varint('offset') }
      : undefined,
  };
}

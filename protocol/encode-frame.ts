/**
 * A frame's fields to bytes, header included: the mirror of `decode-frame.ts`.
 * Lengths of names are the caller's to keep: what comes from outside is checked where it comes in.
 *
 * @see docs/protocol.md, "Frames"
 */
import { PushFlag } from './codes.js';
import {
  type ConnackFrame,
  type ConnectFrame,
  type Frame,
  FrameType,
  type JoinFrame,
  MAGIC,
  type PushFrame,
} from './frames.js';
import {
  beginFrame,
  finishFrame,
  writeBytes,
  writeFlag,
  writeMap,
  writeRest,
  writeString,
  writeVarint,
} from './writer.js';

const MAGIC_BYTES = Uint8Array.from(MAGIC);

/**
 * @returns the whole frame; it stays as it is, but is a view on a buffer shared with other frames, so that buffer is
 *   never transferred to another thread
 * @throws {MalformedFrameError} a number is negative, fractional or above 2^53 - 1
 * @throws {FrameTooLargeError} the body does not fit a u24 length
 */
export function encodeFrame(frame: Frame): Uint8Array {
  beginFrame(frame.type);
  writeFields(frame);
  return finishFrame();
}

function writeFields(frame: Frame): void {
  switch (frame.type) {
    case FrameType.connect:
      return writeConnect(frame);
    case FrameType.connack:
      return writeConnack(frame);
    case FrameType.ping:
    case FrameType.pong:
      return writeVarint(frame.opaque);
    case FrameType.request:
      writeVarint(frame.requestId);
      writeVarint(frame.businessId);
      writeString(frame.method);
      writeMap(frame.metadata);
      writeVarint(frame.deadlineMs);
      return writeRest(frame.payload);
    case FrameType.response:
      writeVarint(frame.requestId);
      writeVarint(frame.status);
      writeMap(frame.metadata);
      return writeRest(frame.payload);
    case FrameType.cancel:
      return writeVarint(frame.requestId);
    case FrameType.push:
      return writePush(frame);
    case FrameType.ack:
      writeVarint(frame.businessId);
      return writeVarint(frame.sequence);
    case FrameType.join:
      return writeJoin(frame);
    case FrameType.leave:
      writeVarint(frame.requestId);
      writeVarint(frame.businessId);
      return writeString(frame.group);
    case FrameType.auth:
      writeVarint(frame.requestId);
      return writeString(frame.token);
    case FrameType.gap:
      writeVarint(frame.businessId);
      writeString(frame.group);
      writeVarint(frame.dropped);
      return writeVarint(frame.reason);
    case FrameType.goaway:
      writeVarint(frame.reason);
      writeVarint(frame.windowMs);
      return writeString(frame.accessPoint);
    case FrameType.close:
      writeVarint(frame.code);
      return writeString(frame.reason);
    case FrameType.report:
      return writeMap(frame.measurements);
  }
}

function writeConnect(frame: ConnectFrame): void {
  writeRest(MAGIC_BYTES);
  writeVarint(frame.minVersion);
  writeVarint(frame.maxVersion);
  writeString(frame.token);
  writeMap(frame.attributes);
  writeFlag(frame.resume !== undefined);
  if (frame.resume === undefined) return;
  writeString(frame.resume.sessionId);
  writeBytes(frame.resume.secret);
  writeVarint(frame.resume.sequences.length);
  for (const { businessId, sequence } of frame.resume.sequences) {
    writeVarint(businessId);
    writeVarint(sequence);
  }
}

function writeConnack(frame: ConnackFrame): void {
  writeVarint(frame.status);
  writeVarint(frame.version);
  writeString(frame.connectionId);
  writeString(frame.sessionId);
  writeBytes(frame.resumeSecret);
  writeFlag(frame.resumed);
  writeVarint(frame.heartbeatMs);
  writeVarint(frame.serverTimeMs);
  writeVarint(frame.maxFrameBytes);
  writeVarint(frame.maxInFlight);
  writeVarint(frame.maxGroups);
  writeVarint(frame.businesses.length);
  for (const { id, name } of frame.businesses) {
    writeVarint(id);
    writeString(name);
  }
}

function writePush(frame: PushFrame): void {
  const { multicast, sequence } = frame;
  writeVarint(frame.businessId);
  writeVarint((sequence === undefined ? 0 : PushFlag.needsAck) | (multicast === undefined ? 0 : PushFlag.multicast));
  writeString(frame.messageId);
  if (multicast !== undefined) {
    writeString(multicast.group);
    writeVarint(multicast.offset);
  }
  if (sequence !== undefined) writeVarint(sequence);
  writeMap(frame.metadata);
  writeRest(frame.payload);
}

function writeJoin(frame: JoinFrame): void {
  writeVarint(frame.requestId);
  writeVarint(frame.businessId);
  writeString(frame.group);
  writeFlag(frame.recover !== undefined);
  if (frame.recover === undefined) return;
  writeString(frame.recover.epoch);
  writeVarint(frame.recover.offset);
}

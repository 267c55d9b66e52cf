/**
 * A frame's fields, of either direction, to bytes, header included: those of a server here, the others next door. The
 * mirror of `decode-frame.ts`.
 *
 * @see docs/protocol.md, "Frames"
 */
import { PushFlag } from './codes.js';
import { writeClientFields } from './encode-client-frame.js';
import { type ConnackFrame, type Frame, FrameType, type PushFrame } from './frames.js';
import { writeBytes, writeFlag, writeMap } from './write-fields.js';
import { beginFrame, finishFrame, writeRest, writeString, writeVarint } from './writer.js';

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
    case FrameType.push:
      return writePush(frame);
    case FrameType.connack:
      return writeConnack(frame);
    case FrameType.gap:
      writeVarint(frame.businessId);
      writeString(frame.group);
      writeVarint(frame.dropped);
      return writeVarint(frame.reason);
    case FrameType.goaway:
      writeVarint(frame.reason);
      writeVarint(frame.windowMs);
      return writeString(frame.accessPoint);
    default:
      return writeClientFields(frame);
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

/**
 * What a client sends, fields to bytes, header included: all that a client has to write.
 * Lengths of names are the caller's to keep: what comes from outside is checked where it comes in.
 *
 * @see docs/protocol.md, "Frames"
 */
import { type ClientFrame, type ConnectFrame, FrameType, type JoinFrame, MAGIC } from './frames.js';
import { writeBytes, writeFlag, writeMap } from './write-fields.js';
import { beginFrame, finishFrame, writeRest, writeString, writeVarint } from './writer.js';

const MAGIC_BYTES = Uint8Array.from(MAGIC);

/** As `encodeFrame`. */
export function encodeClientFrame(frame: ClientFrame): Uint8Array {
  beginFrame(frame.type);
  writeClientFields(frame);
  return finishFrame();
}

export function writeClientFields(frame: ClientFrame): void {
  switch (frame.type) {
    case FrameType.connect:
      return writeConnect(frame);
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

function writeJoin(frame: JoinFrame): void {
  writeVarint(frame.requestId);
  writeVarint(frame.businessId);
  writeString(frame.group);
  writeFlag(frame.recover !== undefined);
  if (frame.recover === undefined) return;
  writeString(frame.recover.epoch);
  writeVarint(frame.recover.offset);
}

/**
 * Which side sends which frame. Kept beside the codec and not in it, because tools that only look at traffic
 * decode both directions.
 *
 * @see docs/protocol.md, "Frames"
 */
import { UnexpectedFrameError } from './errors.js';
import { FIRST_EXTENSION_TYPE, FrameType } from './frames.js';

export type Side = 'client' | 'server';

const SENT_BY_CLIENT_ONLY: ReadonlySet<number> = new Set([
  FrameType.connect,
  FrameType.ack,
  FrameType.join,
  FrameType.leave,
  FrameType.auth,
  FrameType.report,
]);

const SENT_BY_SERVER_ONLY: ReadonlySet<number> = new Set([
  FrameType.connack,
  FrameType.push,
  FrameType.gap,
  FrameType.goaway,
]);

/**
 * Whether `side` may send frames of this type; extensions may come from both.
 *
 * @param type as on the wire
 */
export function isSentBy(side: Side, type: number): boolean {
  if (type < FrameType.connect) return false;
  if (type > FrameType.report) return type >= FIRST_EXTENSION_TYPE;
  return !(side === 'client' ? SENT_BY_SERVER_ONLY : SENT_BY_CLIENT_ONLY).has(type);
}

/** @throws {UnexpectedFrameError} `side` never sends frames of this type */
export function checkSentBy(side: Side, type: number): void {
  if (!isSentBy(side, type)) throw new UnexpectedFrameError(type, `is not sent by a ${side}`);
}

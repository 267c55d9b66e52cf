/**
 * The root of every error this project throws, and the protocol family: the bytes of a peer are wrong.
 * Callers match on `code`, which never changes; `instanceof` fails between two copies of a package.
 *
 * @see docs/errors.md
 */
import { CloseCode } from './codes.js';

export abstract class TrunklineError extends Error {
  /** Stable, `TRK_` and upper snake case. */
  abstract readonly code: string;
  /** Whether waiting and trying again can help. */
  readonly retryable: boolean = false;

  override get name(): string {
    return this.constructor.name;
  }
}

/** The bytes of one peer are wrong; its connection closes with `closeCode`, nothing else is touched. */
export abstract class ProtocolError extends TrunklineError {
  abstract readonly closeCode: number;
}

/** A field runs past its frame, a frame past its fields, a number or text is not in its form. Closes with 4501. */
export class MalformedFrameError extends ProtocolError {
  readonly code = 'TRK_MALFORMED_FRAME';
  readonly closeCode: number = CloseCode.malformedFrame;
  constructor(readonly detail: string) {
    super(`malformed frame: ${detail}`);
  }
}

/** A peer declared a frame longer than agreed. Closes with 4502. */
export class FrameTooLargeError extends ProtocolError {
  readonly code = 'TRK_FRAME_TOO_LARGE';
  readonly closeCode: number = CloseCode.frameTooLarge;
  constructor(
    readonly lengthBytes: number,
    readonly limitBytes: number,
  ) {
    super(`frame of ${lengthBytes} bytes exceeds the limit of ${limitBytes}`);
  }
}

/** A frame type below 0x40 that version 1 does not know, or that this side never receives. Closes with 4503. */
export class UnexpectedFrameError extends ProtocolError {
  readonly code = 'TRK_UNEXPECTED_FRAME';
  readonly closeCode: number = CloseCode.unexpectedFrame;
  constructor(
    readonly frameType: number,
    readonly when: string,
  ) {
    super(`frame type 0x${frameType.toString(16).padStart(2, '0')} ${when}`);
  }
}

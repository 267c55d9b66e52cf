/**
 * Bytes to lines, across chunks. A line that is too long is noticed when its limit is passed, not when it ends, and the
 * rest of it is thrown away as it comes: what waits in here is bounded whatever is sent.
 */
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Stands for a line that was longer than the limit. */
export const TOO_LONG = Symbol('too long');

export type Line = Buffer | typeof TOO_LONG;

export class LineSplitter {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #isSkipping = false;

  /** @param maxBytes of a line, without its end */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that `chunk` completes, empty ones left out; views on it where they lie in one piece. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#take(chunk.subarray(start, end), lines);
      this.#endLine(lines);
      start = end + 1;
    }
    if (start < chunk.length) this.#take(chunk.subarray(start), lines);
    return lines;
  }

  /** A last line that has no end. */
  flush(): Line[] {
    const lines: Line[] = [];
    this.#endLine(lines);
    return lines;
  }

  #take(piece: Buffer, lines: Line[]): void {
    if (this.#isSkipping) return;
    this.#bytes += piece.length;
    if (this.#bytes <= this.#maxBytes) {
      this.#pieces.push(piece);
      return;
    }
    lines.push(TOO_LONG);
    this.#isSkipping = true;
    this.#pieces = [];
  }

  #endLine(lines: Line[]): void {
    const line = withoutReturn(this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces));
    if (!this.#isSkipping && line.length > 0) lines.push(line);
    this.#pieces = [];
    this.#bytes = 0;
    this.#isSkipping = false;
  }
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

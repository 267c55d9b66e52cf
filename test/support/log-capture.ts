/**
 * A winston logger at its most talkative that keeps what it would have written.
 */
import { Writable } from 'node:stream';
import winston, { type Logger } from 'winston';

export interface LogCapture {
  readonly log: Logger;
  /** Everything logged so far, a JSON line each. */
  text(): string;
  /** The same, line by line. */
  readonly entries: readonly { readonly message: string; readonly [field: string]: unknown }[];
}

export function captureLog(): LogCapture {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = winston.createLogger({ level: 'silly', transports: [new winston.transports.Stream({ stream })] });
  return {
    log,
    text: () => lines.join(''),
    get entries() {
      return lines.map((line) => JSON.parse(line));
    },
  };
}

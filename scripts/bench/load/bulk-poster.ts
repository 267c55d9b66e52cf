/**
 * One bulk push that never ends: NDJSON written over a bare socket as chunks; either lines come as they are posted, or
 * as many are made as keep a window of lines without an answer full. Of an answer only its end is looked at, because a full client would cost this process more than the push costs
 * the server.
 */
import { connect, type Socket } from 'node:net';
import { BenchError } from '../measure/bench-error.js';

export interface BulkPosterOptions {
  readonly port: number;
  /** Bearer key. */
  readonly key: string;
  /** Without it, `post` is what sends. */
  readonly source?: BulkSource;
}

export interface BulkSource {
  /** Lines without an answer at most. */
  readonly window: number;
  /** Makes the next lines, each with its end. */
  readonly nextLines: () => { readonly text: string; readonly count: number };
}

const BRACE = 0x7d;
const NEWLINE = 0x0a;
const ERROR = Buffer.from('"error"');

export class BulkPoster {
  readonly #options: BulkPosterOptions;
  readonly #socket: Socket;
  #isRunning = true;
  #isHeadRead = false;
  #lastByte = 0;
  sent = 0;
  answered = 0;
  failure: BenchError | undefined;

  static async open(options: BulkPosterOptions): Promise<BulkPoster> {
    const socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new BulkPoster(options, socket);
  }

  private constructor(options: BulkPosterOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    const { port, key } = options;
    socket.write(
      `POST /v1/push/bulk HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${key}\r\n` +
        'Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('drain', () => this.#pump());
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#isRunning) this.failure ??= new BenchError('the server closed a bulk push');
    });
    this.#pump();
  }

  /** @param text whole lines, each with its end */
  post(text: string, count: number): void {
    this.sent += count;
    this.#socket.write(`${text.length.toString(16)}\r\n${text}\r\n`, 'latin1');
  }

  /** Sends nothing more; what is under way is still answered. */
  finish(): void {
    this.#isRunning = false;
    this.#socket.write('0\r\n\r\n');
  }

  close(): void {
    this.#isRunning = false;
    this.#socket.destroy();
  }

  #pump(): void {
    const { source } = this.#options;
    if (source === undefined) return;
    while (this.#isRunning && !this.#socket.writableNeedDrain && this.sent - this.answered < source.window) {
      const { text, count } = source.nextLines();
      this.post(text, count);
    }
  }

  #onData(chunk: Buffer): void {
    if (!this.#isHeadRead) {
      this.#isHeadRead = true;
      if (!chunk.subarray(0, 12).equals(Buffer.from('HTTP/1.1 200'))) {
        this.failure ??= new BenchError(`a bulk push was answered ${chunk.toString('latin1', 0, 200)}`);
      }
    }
    const error = chunk.indexOf(ERROR);
    if (error >= 0)
      this.failure ??= new BenchError(`a line was refused: ${chunk.toString('latin1', error, error + 200)}`);
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) {
      if ((at === 0 ? this.#lastByte : chunk[at - 1]) === BRACE) this.answered += 1;
    }
    this.#lastByte = chunk[chunk.length - 1] as number;
    this.#pump();
  }
}

/**
 * POSTs over a few keep-alive connections with as little as HTTP/1.1 needs, because a full client would cost this
 * process more than a fan-out costs the server. One request at a time per connection; more wait in order.
 */
import { connect, type Socket } from 'node:net';
import { BenchError } from '../measure/bench-error.js';

export interface HttpPosterOptions {
  readonly port: number;
  /** Keep-alive connections. */
  readonly connections: number;
  /** Bearer key. */
  readonly key: string;
}

/** @param body of the answer; a view, valid during the call */
export type Answered = (status: number, body: Buffer) => void;

interface Job {
  readonly wire: Buffer;
  readonly answered: Answered;
}

interface Channel {
  readonly socket: Socket;
  readonly chunks: Buffer[];
  job: Job | undefined;
}

const HEAD_END = '\r\n\r\n';

export class HttpPoster {
  readonly #headers: string;
  readonly #channels: Channel[] = [];
  readonly #waiting: Job[] = [];
  #failure: BenchError | undefined;
  #closed = false;

  private constructor(options: HttpPosterOptions) {
    this.#headers = `Host: 127.0.0.1:${options.port}\r\nAuthorization: Bearer ${options.key}\r\n`;
  }

  static async open(options: HttpPosterOptions): Promise<HttpPoster> {
    const poster = new HttpPoster(options);
    for (let i = 0; i < options.connections; i++) await poster.#connect(options.port);
    return poster;
  }

  /** Requests that no connection has taken yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** A request head and body, ready to be posted any number of times. */
  prepare(path: string, body: Uint8Array, contentType = 'application/json'): Buffer {
    const head = `POST ${path} HTTP/1.1\r\n${this.#headers}Content-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head, 'latin1'), body]);
  }

  /** @throws {BenchError} a connection was lost before */
  post(wire: Buffer, answered: Answered): void {
    if (this.#failure !== undefined) throw this.#failure;
    const job = { wire, answered };
    const free = this.#channels.find((channel) => channel.job === undefined);
    if (free === undefined) this.#waiting.push(job);
    else start(free, job);
  }

  close(): void {
    this.#closed = true;
    for (const { socket } of this.#channels) socket.destroy();
  }

  async #connect(port: number): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const channel: Channel = { socket, chunks: [], job: undefined };
    this.#channels.push(channel);
    socket.on('data', (chunk) => this.#onData(channel, chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!this.#closed) this.#failure ??= new BenchError('the server closed an HTTP connection');
    });
  }

  #onData(channel: Channel, chunk: Buffer): void {
    channel.chunks.push(chunk);
    const bytes = channel.chunks.length === 1 ? chunk : Buffer.concat(channel.chunks);
    const answer = parseAnswer(bytes);
    if (answer === undefined) return;
    const { job } = channel;
    channel.chunks.length = 0;
    channel.job = undefined;
    const next = this.#waiting.shift();
    if (next !== undefined) start(channel, next);
    job?.answered(answer.status, answer.body);
  }
}

function start(channel: Channel, job: Job): void {
  channel.job = job;
  channel.socket.write(job.wire);
}

/** @returns `undefined` while it is not complete. @throws {BenchError} no Content-Length */
export function parseAnswer(bytes: Buffer): { status: number; body: Buffer } | undefined {
  const headBytes = bytes.indexOf(HEAD_END);
  if (headBytes < 0) return undefined;
  const head = bytes.toString('latin1', 0, headBytes + 2);
  const status = Number(head.slice(9, 12));
  const declared = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
  if (declared === undefined && status !== 204) throw new BenchError(`answer without Content-Length: ${head}`);
  const bodyAt = headBytes + HEAD_END.length;
  const end = bodyAt + Number(declared ?? 0);
  return bytes.length < end ? undefined : { status, body: bytes.subarray(bodyAt, end) };
}

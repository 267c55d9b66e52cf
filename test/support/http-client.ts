/**
 * HTTP as a stranger speaks it: undici for whole requests, a bare socket for what no client would send.
 */
import { connect } from 'node:net';
import { Agent, request } from 'undici';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came back
  readonly json: any;
}

export interface CallOptions {
  readonly key?: string;
  /** Sent as JSON; a string or bytes as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Call = (method: string, path: string, options?: CallOptions) => Promise<Answer>;

export interface HttpClient {
  readonly call: Call;
  close(): Promise<void>;
}

/** @param address `host:port` */
export function createHttpClient(address: string, connections = 8): HttpClient {
  const dispatcher = new Agent({ connections });
  const call: Call = async (method, path, { key, body, headers = {} } = {}) => {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await request(`http://${address}${path}`, {
      dispatcher,
      method: method as 'GET',
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : raw ? body : JSON.stringify(body),
    });
    const text = await response.body.text();
    const isJson = /[/+]json/.test(String(response.headers['content-type']));
    return {
      status: response.statusCode,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : undefined,
    };
  };
  return { call, close: () => dispatcher.destroy() };
}

/** Writes `chunks` one after the other as fast as they are taken. @returns all that came back until the end */
export function exchangeRaw(address: string, chunks: Iterable<string | Uint8Array>): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(Number(port), host);
    const iterator = chunks[Symbol.iterator]();
    const pump = () => {
      for (let next = iterator.next(); !next.done; next = iterator.next()) {
        if (!socket.write(next.value)) return;
      }
    };
    socket.on('connect', pump);
    socket.on('drain', pump);
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    // A reset is one of the answers a flood may get.
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
  });
}

/** A back-end on loopback and the calls that go to it; everything ends with the test. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import {
  type BackEndClient,
  createBackEndClient,
  type Outcome,
  type UpstreamCall,
  type UpstreamOptions,
} from '../../upstream/index.js';

export const SECRET = 'a signing secret for tests';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly method: string;
  readonly url: string;
  readonly body: Buffer;
}

export interface RealBackEnd {
  readonly url: string;
  readonly received: readonly Received[];
  /** Connections accepted so far. */
  connections(): number;
}

type Handler = (request: Received, response: ServerResponse, message: IncomingMessage) => void;

/** Reads each request whole, then lets `handler` answer. */
export async function startBackEnd(t: ExecutionContext, handler: Handler): Promise<RealBackEnd> {
  const received: Received[] = [];
  let connections = 0;
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const { headers, rawHeaders, method = '', url = '' } = message;
    const request = { headers, rawHeaders, method, url, body: Buffer.concat(chunks) };
    received.push(request);
    handler(request, response, message);
  });
  server.on('connection', () => {
    connections += 1;
  });
  t.teardown(() => server.closeAllConnections());
  const url = await listen(t, server);
  return { url: `${url}/hook?v=1`, received, connections: () => connections };
}

/** Bytes instead of HTTP: `onConnection` does what it likes with the socket. */
export async function startTcpServer(t: ExecutionContext, onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    onConnection(socket);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  return listen(t, server);
}

async function listen(t: ExecutionContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export interface TestClient extends BackEndClient {
  readonly outcomes: readonly Outcome[];
}

export function clientOf(t: ExecutionContext, url: string, options: Partial<UpstreamOptions> = {}): TestClient {
  const outcomes: Outcome[] = [];
  const client = createBackEndClient({
    business: 'im',
    url,
    signingSecret: SECRET,
    concurrency: 8,
    maxQueue: 8,
    deadlineMs: 60_000,
    maxResponseBytes: 1024 * 1024,
    breaker: { failures: 1_000, openMs: 1_000 },
    onOutcome: (outcome) => outcomes.push(outcome),
    ...options,
  });
  t.teardown(() => void client.close());
  return { request: (call) => client.request(call), close: () => client.close(), outcomes };
}

export function callOf(overrides: Partial<UpstreamCall> = {}): UpstreamCall {
  return {
    device: { app: 'demo', deviceId: 'device-1' },
    uid: 'ada',
    connectionId: 'n1.w0.42',
    method: 'chat.send',
    metadata: {},
    payload: Buffer.from('hello'),
    deadlineMs: 0,
    signal: new AbortController().signal,
    ...overrides,
  };
}

/** A clock that stands until it is moved. */
export function manualClock(): { wallMs(): number; monotonicMs(): number; move(ms: number): void } {
  let nowMs = 0;
  return {
    wallMs: () => 1_700_000_000_123 + nowMs,
    monotonicMs: () => nowMs,
    move: (ms) => {
      nowMs += ms;
    },
  };
}

/** Resolves when `condition` holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

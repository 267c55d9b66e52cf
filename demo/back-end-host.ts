/**
 * What the two sample back-ends share: an HTTP server for Trunkline's signed requests, a bridge client for the way
 * back, and a life that ends with SIGTERM or with the parent. A back-end of your own needs the middle part,
 * `verifyWebhook` and `encodeUpstreamAnswer`; the rest is how the demo runs it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  BackEndClient,
  BridgeError,
  BridgeUnreachableError,
  encodeUpstreamAnswer,
  Status,
  type UpstreamAnswer,
  type UpstreamRequest,
  verifyWebhook,
} from '../sdk/backend/index.js';
import type { FromBackEnd, ToBackEnd } from './back-end-process.js';
import { DEMO_APP } from './config.js';

const HOST = '127.0.0.1';
const MAX_BODY_BYTES = 1024 * 1024;

/** Answers a method with something that becomes JSON. */
export type MethodHandler = (request: UpstreamRequest) => Promise<unknown> | unknown;

export interface BackEnd {
  readonly methods: Readonly<Record<string, MethodHandler>>;
  /** Ends timers. */
  stop(): void;
}

/** The device asked for something that cannot be: it gets this status and reason. */
export class AnswerError extends Error {
  constructor(
    readonly status: Status,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Runs a back-end in this process until SIGTERM.
 *
 * Environment: `TRUNKLINE_KEY` the business's key, `TRUNKLINE_SIGNING_SECRET`, `PORT` (default: any free one), and
 * `TRUNKLINE_URL` the bridge, unless the parent process tells it.
 */
export async function runBackEnd(create: (bridge: BackEndClient) => Promise<BackEnd> | BackEnd): Promise<void> {
  const secret = environment('TRUNKLINE_SIGNING_SECRET');
  let backEnd: BackEnd | undefined;
  const server = createServer((request, response) => void answer(request, response, secret, backEnd));
  endWith(server, () => backEnd?.stop());
  await new Promise<void>((resolve) => server.listen(Number(process.env['PORT'] ?? 0), HOST, resolve));
  tell({ type: 'listening', url: `http://${HOST}:${(server.address() as AddressInfo).port}/` });
  const url = process.env['TRUNKLINE_URL'] ?? (await bridgeFromParent());
  backEnd = await create(new BackEndClient({ url, key: environment('TRUNKLINE_KEY'), app: DEMO_APP }));
  tell({ type: 'ready' });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  secret: string,
  backEnd: BackEnd | undefined,
): Promise<void> {
  const body = await bodyOf(request).catch(() => undefined);
  if (body === undefined) return void response.writeHead(413).end();
  const verdict = verifyWebhook({ headers: request.headers, body, secret });
  if (!verdict.ok) return void response.writeHead(401).end(verdict.reason);
  // The demo asks for no connection events; a back-end of your own would take note of them here.
  if (verdict.event.type !== 'request') return void response.writeHead(204).end();
  const { headers, body: payload } = encodeUpstreamAnswer(await answerEvent(verdict.event, backEnd));
  response.writeHead(200, headers).end(payload);
}

async function answerEvent(event: UpstreamRequest, backEnd: BackEnd | undefined): Promise<UpstreamAnswer> {
  try {
    if (backEnd === undefined) throw new AnswerError(Status.unavailable, 'starting');
    const { methods } = backEnd;
    const handler = Object.hasOwn(methods, event.method) ? methods[event.method] : undefined;
    if (handler === undefined) throw new AnswerError(Status.unimplemented, `no method ${event.method}`);
    return json(Status.ok, await handler(event));
  } catch (error) {
    if (error instanceof AnswerError) return json(error.status, { error: error.message });
    if (error instanceof BridgeError || error instanceof BridgeUnreachableError) {
      return json(Status.unavailable, { error: error.message });
    }
    console.error(error);
    return json(Status.internal, { error: 'the back-end failed' });
  }
}

function json(status: Status, value: unknown): UpstreamAnswer {
  return { status, payload: JSON.stringify(value), contentType: 'application/json' };
}

/** @returns a field of the request's JSON payload; undefined when it is missing @throws {AnswerError} it is no JSON */
export function field(request: UpstreamRequest, name: string): unknown {
  try {
    return (request.json() as Record<string, unknown> | null)?.[name];
  } catch {
    throw new AnswerError(Status.invalidArgument, 'the payload is not JSON');
  }
}

/** @returns a field of the request's JSON payload @throws {AnswerError} it is missing, no text, empty or too long */
export function textField(request: UpstreamRequest, name: string, maxLength: number): string {
  const value = field(request, name);
  if (typeof value !== 'string' || value === '' || value.length > maxLength) {
    throw new AnswerError(Status.invalidArgument, `${name} must be a text of 1 to ${maxLength} characters`);
  }
  return value;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error('body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function environment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`the environment variable ${name} is not set`);
  return value;
}

function tell(message: FromBackEnd): void {
  if (process.send !== undefined) process.send(message);
  else console.log(JSON.stringify(message));
}

function bridgeFromParent(): Promise<string> {
  if (process.send === undefined) throw new Error('the environment variable TRUNKLINE_URL is not set');
  return new Promise((resolve) => {
    process.once('message', (message) => resolve((message as ToBackEnd).url));
  });
}

function endWith(server: Server, stop: () => void): void {
  const end = (): void => {
    stop();
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => process.exit(0), 1_000).unref();
  };
  process.once('SIGTERM', end);
  process.once('disconnect', end);
  // Ctrl-C reaches the whole group; the parent decides about the order, unless there is none.
  process.on('SIGINT', () => process.send === undefined && end());
}

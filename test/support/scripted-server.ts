/**
 * The server's side of the protocol, by hand: real TCP and WebSocket listeners and a bootstrap endpoint on loopback,
 * where each test plays the server one frame at a time. Nothing is answered by itself, so a test says all it means.
 */
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type ConnackFrame,
  type ConnectFrame,
  DEFAULT_MAX_FRAME_BYTES,
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameDecoder,
  FrameType,
  type StringMap,
} from '../../protocol/index.js';

type FrameOf<T extends Frame['type']> = Extract<Frame, { type: T }>;

/** Things that come one by one, and those who wait for them. */
class Line<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  put(item: T): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#items.push(item);
    else next(item);
  }

  get size(): number {
    return this.#items.length;
  }

  take(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
  }
}

/** One accepted link. */
export class Peer {
  readonly protocol: 'tcp' | 'ws';
  /** Resolves when the link is gone. */
  readonly ended: Promise<unknown>;
  readonly #frames = new Line<Frame>();
  readonly #decoder = new FrameDecoder(DEFAULT_MAX_FRAME_BYTES);
  readonly #write: (bytes: Uint8Array) => void;
  readonly #destroy: () => void;
  /** Ends a WebSocket with a code of its own and no CLOSE frame. */
  closeWebSocket: (code: number) => void = () => {};

  constructor(
    protocol: 'tcp' | 'ws',
    write: (bytes: Uint8Array) => void,
    destroy: () => void,
    ended: Promise<unknown>,
  ) {
    this.protocol = protocol;
    this.#write = write;
    this.#destroy = destroy;
    this.ended = ended;
  }

  receive(bytes: Uint8Array): void {
    for (const raw of this.#decoder.decode(bytes)) {
      const frame = decodeFrame(raw);
      if (frame !== undefined) this.#frames.put(frame);
    }
  }

  /** Frames that came and nobody took. */
  get unread(): number {
    return this.#frames.size;
  }

  /** The next frame, which must be of this type. */
  async next<T extends Frame['type']>(type: T): Promise<FrameOf<T>> {
    const frame = await this.#frames.take();
    if (frame.type !== type) throw new Error(`expected frame type ${type}, got ${JSON.stringify(frame)}`);
    return frame as FrameOf<T>;
  }

  /** Everything in one write. */
  send(...frames: Frame[]): void {
    this.sendBytes(Buffer.concat(frames.map((frame) => encodeFrame(frame))));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#write(bytes);
  }

  respond(requestId: number, status = 0, payload = '', metadata: StringMap = {}): void {
    this.send({ type: FrameType.response, requestId, status, metadata, payload: Buffer.from(payload) });
  }

  /** Answers CONNECT with CONNACK. @returns the CONNECT */
  async login(connack: Partial<ConnackFrame> = {}): Promise<ConnectFrame> {
    const connect = await this.next(FrameType.connect);
    this.send(connackFrame(connack));
    return connect;
  }

  /** CLOSE, and the end of the link. */
  close(code: number, reason = ''): void {
    this.send({ type: FrameType.close, code, reason });
    // The link goes a moment later, as it does when a kernel has to flush first.
    setTimeout(() => this.cut(), 20);
  }

  /** Ends the link without a word. */
  cut(): void {
    this.#destroy();
  }
}

export function connackFrame(fields: Partial<ConnackFrame> = {}): ConnackFrame {
  return {
    type: FrameType.connack,
    status: 0,
    version: 1,
    connectionId: 'c-1',
    sessionId: 's-1',
    resumeSecret: new Uint8Array(0),
    resumed: false,
    heartbeatMs: 60_000,
    serverTimeMs: Date.now(),
    maxFrameBytes: DEFAULT_MAX_FRAME_BYTES,
    maxInFlight: 64,
    maxGroups: 100,
    businesses: [
      { id: 1, name: 'im' },
      { id: 2, name: 'live' },
    ],
    ...fields,
  };
}

export interface BootstrapAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body: unknown;
}

export class ScriptedServer {
  /** `host:port` */
  readonly tcp: string;
  /** `ws://host:port/connect` */
  readonly ws: string;
  /** `http://host:port` */
  readonly bootstrapUrl: string;
  /** Answers a bootstrap; a test puts its own here. */
  onBootstrap: (body: Record<string, unknown>) => BootstrapAnswer | Promise<BootstrapAnswer>;
  /** Bodies of the bootstraps asked, in order. */
  readonly bootstraps: Record<string, unknown>[] = [];
  readonly #peers = new Line<Peer>();
  readonly #links = new Set<() => void>();
  readonly #tcpServer = createTcpServer((socket) => this.#acceptTcp(socket));
  readonly #httpServer = createHttpServer((request, response) => void this.#answerHttp(request, response));

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await Promise.all([once(server.#tcpServer, 'listening'), once(server.#httpServer, 'listening')]);
    const port = (listener: { address(): unknown }): number => (listener.address() as AddressInfo).port;
    const addresses = { tcp: port(server.#tcpServer), http: port(server.#httpServer) };
    return Object.assign(server, {
      tcp: `127.0.0.1:${addresses.tcp}`,
      ws: `ws://127.0.0.1:${addresses.http}/connect`,
      bootstrapUrl: `http://127.0.0.1:${addresses.http}`,
    });
  }

  private constructor() {
    this.tcp = this.ws = this.bootstrapUrl = '';
    this.onBootstrap = () => ({ body: this.bootstrap() });
    this.#tcpServer.listen(0, '127.0.0.1');
    this.#httpServer.listen(0, '127.0.0.1');
    const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    this.#httpServer.on('upgrade', (request, socket, head) => {
      if (request.url !== '/connect' || request.headers['sec-websocket-protocol'] !== 'trunkline.v1') {
        return socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      }
      webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#acceptWebSocket(webSocket));
    });
  }

  /** A bootstrap answer that leads here. */
  bootstrap(fields: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      app: 'demo',
      deviceId: 'd-1',
      token: 'token-1',
      expiresAtMs: Date.now() + 3_600_000,
      businesses: ['im', 'live'],
      accessPoints: { tcp: [this.tcp], ws: [this.ws] },
      protocols: ['tcp', 'ws'],
      heartbeat: { intervalMs: 60_000 },
      retry: { minMs: 1, maxMs: 1 },
      ...fields,
    };
  }

  /** The next link that a client opens. */
  accept(): Promise<Peer> {
    return this.#peers.take();
  }

  /** Links that came and nobody accepted. */
  get unaccepted(): number {
    return this.#peers.size;
  }

  async stop(): Promise<void> {
    for (const destroy of this.#links) destroy();
    this.#httpServer.closeAllConnections();
    const closed = [once(this.#tcpServer, 'close'), once(this.#httpServer, 'close')];
    this.#tcpServer.close();
    this.#httpServer.close();
    await Promise.all(closed);
  }

  #acceptTcp(socket: Socket): void {
    socket.on('error', () => {});
    const ended = new Promise((resolve) => socket.on('close', resolve));
    const peer = new Peer(
      'tcp',
      (bytes) => socket.write(bytes),
      () => socket.destroy(),
      ended,
    );
    socket.on('data', (bytes) => peer.receive(bytes));
    this.#keep(peer, () => socket.destroy());
  }

  #acceptWebSocket(webSocket: WebSocket): void {
    webSocket.on('error', () => {});
    const ended = new Promise((resolve) => webSocket.on('close', resolve));
    const peer = new Peer(
      'ws',
      (bytes) => webSocket.send(bytes),
      () => webSocket.terminate(),
      ended,
    );
    peer.closeWebSocket = (code) => webSocket.close(code);
    webSocket.on('message', (bytes: Buffer) => peer.receive(bytes));
    this.#keep(peer, () => webSocket.terminate());
  }

  #keep(peer: Peer, destroy: () => void): void {
    this.#links.add(destroy);
    void peer.ended.then(() => this.#links.delete(destroy));
    this.#peers.put(peer);
  }

  async #answerHttp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method !== 'POST' || request.url !== '/v1/bootstrap') return void response.writeHead(404).end();
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    this.bootstraps.push(asked);
    const { status = 200, headers = {}, body } = await this.onBootstrap(asked);
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  }
}

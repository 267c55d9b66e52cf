/**
 * Accepts WebSocket links at `/connect` with the subprotocol `trunkline.v1`. Compression stays off: its state
 * costs tens of kilobytes a connection.
 */
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';
import { listen, stopListening } from './listen.js';
import { CLOSE_TIMEOUT_MS, type Listener, type ListenerOptions } from './transport.js';
import { UNOWNED } from './unowned.js';
import { WebSocketTransport } from './websocket-transport.js';

export const WEBSOCKET_PATH = '/connect';
export const SUBPROTOCOL = 'trunkline.v1';

const MAX_HEADER_BYTES = 8 * 1024;

export class WebSocketListener implements Listener {
  readonly protocol = 'ws';
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #webSockets: WebSocketServer;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: options.handshakeMs,
      requestTimeout: options.handshakeMs,
      connectionsCheckingInterval: Math.min(options.handshakeMs, 5_000),
    });
    this.#server.on('request', (_request, response) => {
      response.writeHead(426, { 'content-type': 'text/plain', upgrade: 'websocket', connection: 'close' });
      response.end('This is a WebSocket endpoint.\n');
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    // `closeTimeout` is newer than the published types.
    const serverOptions: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxHandshakeBytes,
      closeTimeout: CLOSE_TIMEOUT_MS,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    };
    this.#webSockets = new WebSocketServer(serverOptions);
  }

  start(): Promise<void> {
    return listen(this.#server, this.#options);
  }

  stop(): Promise<void> {
    this.#server.closeIdleConnections();
    return stopListening(this.#server);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = request.url?.split('?', 1)[0];
    if (path !== WEBSOCKET_PATH) return refuse(socket, 404);
    const { origin } = request.headers;
    if (origin !== undefined && !this.#options.isOriginAllowed(origin)) return refuse(socket, 403);
    const offered = request.headers['sec-websocket-protocol'];
    if (offered === undefined || !offered.split(',').some((name) => name.trim() === SUBPROTOCOL)) {
      return refuse(socket, 400);
    }
    const link = socket as Socket;
    link.setNoDelay(true);
    this.#webSockets.handleUpgrade(request, link, head, (webSocket) => {
      this.#options.onConnection(new WebSocketTransport(webSocket, link, UNOWNED));
    });
  }
}

function refuse(socket: Duplex, status: number): void {
  socket.on('error', () => {});
  // An upgraded socket is nobody's: a peer that keeps its half open would hold it for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

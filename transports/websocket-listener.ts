/**
 * Accepts WebSocket links at `/connect` with the subprotocol `trunkline.v1`, plain or over TLS. Compression stays off:
 * its state costs tens of kilobytes a connection.
 */
import { createServer, type Server as HttpServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import { createServer as createSecureServer, type Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type ServerOptions, WebSocketServer } from 'ws';
import { Acceptor, remoteAddressOf } from './acceptor.js';
import { handToTls, tlsOptions } from './tls-front.js';
import { CLOSE_TIMEOUT_MS, type Listener, type ListenerOptions, type SecureMaterial } from './transport.js';
import { UNOWNED } from './unowned.js';
import { rawSocketOf } from './untaken.js';
import { WebSocketTransport } from './websocket-transport.js';

export const WEBSOCKET_PATH = '/connect';
export const SUBPROTOCOL = 'trunkline.v1';

const MAX_HEADER_BYTES = 8 * 1024;
/** The acceptor cuts late links off, whatever they wait for; these clocks would run beside it. */
const HTTP_OPTIONS = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: 0, requestTimeout: 0 };

export class WebSocketListener implements Listener {
  readonly protocol: 'ws' | 'wss';
  readonly #options: ListenerOptions;
  readonly #acceptor: Acceptor;
  /** Gets its links from the acceptor and never listens. */
  readonly #server: HttpServer | HttpsServer;
  readonly #secure: HttpsServer | undefined;
  readonly #webSockets: WebSocketServer;

  /** @param options with `secure` it speaks `wss`, without `ws` */
  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#secure = options.secure === undefined ? undefined : this.#createSecureServer(options.secure);
    this.#server = this.#secure ?? createServer(HTTP_OPTIONS);
    this.protocol = this.#secure === undefined ? 'ws' : 'wss';
    this.#acceptor = new Acceptor(options, (socket) => this.#link(socket));
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
    return this.#acceptor.start();
  }

  stop(): Promise<void> {
    return this.#acceptor.stop();
  }

  renew(material: SecureMaterial): void {
    this.#secure?.setSecureContext(tlsOptions(material));
  }

  #createSecureServer(material: SecureMaterial): HttpsServer {
    const { counter } = this.#options;
    const server = createSecureServer({
      ...HTTP_OPTIONS,
      ...tlsOptions(material),
      ALPNProtocols: ['http/1.1'],
    });
    server.on('secureConnection', (socket) => counter.secured(socket.isSessionReused()));
    // Node's own listener ends the link.
    server.on('tlsClientError', () => counter.refused('tls'));
    return server;
  }

  #link(socket: Socket): void {
    if (this.#secure === undefined) this.#server.emit('connection', socket);
    else handToTls(socket, this.#secure, () => this.#acceptor.refuse(socket, 'tls'));
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
    const raw = rawSocketOf(link);
    this.#webSockets.handleUpgrade(request, link, head, (webSocket) => {
      this.#acceptor.settled(raw);
      const below = link instanceof TLSSocket ? raw : undefined;
      this.#options.onConnection(new WebSocketTransport(webSocket, link, remoteAddressOf(raw), UNOWNED, below), origin);
    });
  }
}

function refuse(socket: Duplex, status: number): void {
  socket.on('error', () => {});
  // An upgraded socket is nobody's: a peer that keeps its half open would hold it for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/**
 * The least that a fan-out can cost in this runtime: every frame that comes in on the feed is sent to every
 * accepted connection as it is, gathered for `--window-ms`. No login, no groups, no queue bounds, no fairness.
 * Sockets are accepted by `ws` (or `node:net`) and written raw, with messages framed once.
 *
 * The feed is one TCP connection that carries whole frames, so that this server and a real one are driven by the
 * same generator at the same moments; here without the cost of HTTP. It answers with a byte for each member there is,
 * since a link that the kernel has opened is no member yet.
 */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { FrameDecoder, HEADER_BYTES, MAX_DECLARABLE_BYTES } from '../../../protocol/index.js';

const { values } = parseArgs({
  options: { protocol: { type: 'string', default: 'ws' }, 'window-ms': { type: 'string', default: '0' } },
});
const windowMs = Number(values['window-ms']);
const isWebSocket = values.protocol === 'ws';

const members = new Set<Socket>();
let gathered: Buffer[] = [];
let timer: NodeJS.Timeout | undefined;
let feedSocket: Socket | undefined;

function publish(type: number, body: Uint8Array): void {
  gathered.push(frameOf(type, body));
  if (windowMs === 0) flush();
  else if (timer === undefined) timer = setTimeout(flush, windowMs);
}

function flush(): void {
  timer = undefined;
  const wire = gathered.length === 1 ? (gathered[0] as Buffer) : Buffer.concat(gathered);
  gathered = [];
  for (const socket of members) socket.write(wire);
}

function frameOf(type: number, body: Uint8Array): Buffer {
  const frameBytes = HEADER_BYTES + body.length;
  const at = isWebSocket ? (frameBytes < 126 ? 2 : 4) : 0;
  const wire = Buffer.allocUnsafe(at + frameBytes);
  if (isWebSocket) {
    wire[0] = 0x82;
    wire[1] = at === 2 ? frameBytes : 126;
    if (at === 4) wire.writeUInt16BE(frameBytes, 2);
  }
  wire.writeUIntBE(body.length, at, 3);
  wire[at + 3] = type;
  wire.set(body, at + HEADER_BYTES);
  return wire;
}

function addMember(socket: Socket): void {
  socket.setNoDelay(true);
  members.add(socket);
  feedSocket?.write('.');
  socket.on('error', () => {});
  socket.on('close', () => members.delete(socket));
}

function createAccess(): Server {
  if (!isWebSocket) {
    return createServer((socket) => {
      addMember(socket);
      socket.resume();
    });
  }
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
  const http = createHttpServer();
  http.on('upgrade', (request, socket, head) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => {});
      addMember(socket as Socket);
    });
  });
  return http;
}

const access = createAccess();
const feed = createServer((socket) => {
  feedSocket = socket;
  socket.write('.'.repeat(members.size));
  const decoder = new FrameDecoder(MAX_DECLARABLE_BYTES);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    for (const { type, body } of decoder.decode(chunk)) publish(type, body);
  });
});

access.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  feed.listen(0, '127.0.0.1', () => {
    const port = (access.address() as AddressInfo).port;
    const feedPort = (feed.address() as AddressInfo).port;
    process.stdout.write(`${JSON.stringify({ port, feedPort })}\n`);
  });
});

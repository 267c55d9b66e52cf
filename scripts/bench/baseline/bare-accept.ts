/**
 * The least that a connect can cost in this runtime: accept, take one message, answer with one prepared frame, and
 * hold the connection. Also the idle connection to compare with.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createSecureServer } from 'node:tls';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { encodeFrame, FrameType, PROTOCOL_VERSION } from '../../../protocol/index.js';
import { createCertificateChain } from '../node/certificate.js';

const { values } = parseArgs({ options: { protocol: { type: 'string', default: 'ws' } } });

const connack = encodeFrame({
  type: FrameType.connack,
  status: 0,
  version: PROTOCOL_VERSION,
  connectionId: 'bare-000000000000',
  sessionId: 'bare-000000000000000000000',
  resumeSecret: new Uint8Array(32),
  resumed: false,
  heartbeatMs: 60_000,
  serverTimeMs: Date.now(),
  maxFrameBytes: 1024 * 1024,
  maxInFlight: 64,
  maxGroups: 100,
  businesses: [{ id: 1, name: 'bench' }],
});

function report(port: number): void {
  process.stdout.write(`${JSON.stringify({ port })}\n`);
}

function startTcp(): Server {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write(connack));
  });
  return server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    report((server.address() as AddressInfo).port);
  });
}

function startWebSocket(): void {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    backlog: 4096,
    perMessageDeflate: false,
    clientTracking: false,
  });
  server.on('connection', (webSocket) => {
    webSocket.on('error', () => {});
    webSocket.once('message', () => webSocket.send(connack));
  });
  server.on('listening', () => report((server.address() as AddressInfo).port));
}

/** As Node does it by itself, with a certificate as long as the node's. */
function startTls(): void {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
  try {
    const { certFile, keyFile } = createCertificateChain(dir);
    const server = createSecureServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(connack));
    });
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => report((server.address() as AddressInfo).port));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (values.protocol === 'tcp') startTcp();
else if (values.protocol === 'tls') startTls();
else startWebSocket();

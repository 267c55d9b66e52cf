/** A back-end that answers as its caller's method says, mostly badly. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface HostileBackEnd {
  readonly url: string;
  /** Bytes of endless answers that were taken. */
  endlessBytes(): number;
  stop(): void;
}

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const KEEP_ALIVE_MS = 10 * 60_000;

export async function startHostileBackEnd(): Promise<HostileBackEnd> {
  let endlessBytes = 0;
  const endless = (response: ServerResponse) => {
    const chunk = Buffer.alloc(MIB, 'x');
    let left = GIB;
    const pump = () => {
      while (left > 0 && !response.destroyed) {
        left -= chunk.length;
        endlessBytes += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', pump);
      }
      response.end();
    };
    pump();
  };
  const answers: Readonly<Record<string, (response: ServerResponse) => void>> = {
    ok: (response) => response.end('fine'),
    hang: () => {},
    'hang-in-body': (response) => response.write('half'),
    500: (response) => response.writeHead(500).end('broken'),
    redirect: (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    'cut-before': (response) => response.destroy(),
    'cut-in-body': (response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    },
    'one-gigabyte': endless,
    'one-gigabyte-declared': (response) => {
      response.writeHead(200, { 'content-length': GIB });
      endless(response);
    },
    'not-http': (response) => response.socket?.end('SSH-2.0-OpenSSH_9.9\r\n'),
    compressed: (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.alloc(100)),
    'many-headers': (response) => {
      for (let i = 0; i < 500; i++) response.setHeader(`x-${i}`, 'x'.repeat(100));
      response.end();
    },
    'long-header': (response) => response.writeHead(200, { 'trunkline-meta-a': 'x'.repeat(5_000) }).end(),
    'proto-key': (response) => response.writeHead(200, { 'trunkline-meta-__proto__': 'x' }).end(),
    'bad-escape': (response) => response.writeHead(200, { 'trunkline-meta-a': '%zz' }).end(),
    'bad-status': (response) => response.writeHead(200, { 'trunkline-status': '99' }).end(),
    'many-metadata': (response) => {
      for (let i = 0; i < 65; i++) response.setHeader(`trunkline-meta-k${i}`, 'v');
      response.end();
    },
    'split-response': (response) => {
      response.socket?.end('HTTP/1.1 200 OK\r\ntrunkline-meta-a: x\rtrunkline-meta-b: y\nSet-Cookie: z\r\n\r\n');
    },
    'other-headers': (response) => {
      response.writeHead(200, { 'set-cookie': 'a=b', 'x-secret': 'hidden', 'trunkline-meta-seen': 'yes' }).end('fine');
    },
    'continue-flood': (response) => {
      for (let i = 0; i < 1_000; i++) response.socket?.write('HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n');
      response.end('fine');
    },
  };
  // Ends no connection by itself: only what it is asked to do is to be seen.
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    request.resume();
    request.on('error', () => {});
    response.on('error', () => {});
    const method = decodeURIComponent(String(request.headers['ce-subject']));
    request.on('end', () => (answers[method] ?? answers['500'])?.(response));
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    endlessBytes: () => endlessBytes,
    stop: () => {
      server.close();
      // Those too that HTTP has lost sight of.
      for (const socket of sockets) socket.destroy();
    },
  };
}

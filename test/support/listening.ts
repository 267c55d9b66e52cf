/** Real listeners on a free port of loopback, and what their links tell their owner. */
import { type AddressInfo, createServer } from 'node:net';
import type { ExecutionContext } from 'ava';
import {
  type Listener,
  type ListenerOptions,
  TcpListener,
  type Transport,
  type TransportHandler,
  WebSocketListener,
} from '../../transports/index.js';
import { until } from './until.js';

/** Owns one accepted link and keeps what it was told. */
export class Link implements TransportHandler {
  readonly transport: Transport;
  readonly chunks: Uint8Array[] = [];
  readonly violations: string[] = [];
  drains = 0;
  closes = 0;

  constructor(transport: Transport) {
    this.transport = transport;
    transport.handler = this;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  write(bytes: Uint8Array): void {
    this.transport.write(this.transport.envelope.wrap(bytes));
  }

  onBytes(bytes: Uint8Array): void {
    this.chunks.push(bytes);
  }

  onDrain(): void {
    this.drains += 1;
  }

  onViolation(detail: string): void {
    this.violations.push(detail);
  }

  onClose(): void {
    this.closes += 1;
  }
}

export interface Listening {
  readonly port: number;
  readonly listener: Listener;
  readonly links: Link[];
  /** The link accepted as number `index`, counted from 0. */
  link(index?: number): Promise<Link>;
}

const LISTENERS = { tcp: TcpListener, ws: WebSocketListener };

export async function listening(
  t: ExecutionContext,
  protocol: 'tcp' | 'ws',
  options: Partial<ListenerOptions> = {},
): Promise<Listening> {
  const links: Link[] = [];
  for (let attempt = 0; ; attempt++) {
    const port = options.port ?? (await freePort());
    const listener = new LISTENERS[protocol]({
      host: '127.0.0.1',
      reusePort: false,
      handshakeMs: 60_000,
      maxHandshakeBytes: 8_196,
      isOriginAllowed: (origin) => origin === 'https://app.example',
      onConnection: (transport) => links.push(new Link(transport)),
      ...options,
      port,
    });
    try {
      await listener.start();
    } catch (error) {
      // Another test was faster.
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE' && attempt < 10) continue;
      throw error;
    }
    t.teardown(async () => {
      for (const { transport } of links) transport.destroy();
      await listener.stop();
    });
    const link = async (index = 0) => {
      await until(() => links.length > index);
      return links[index] as Link;
    };
    return { port, listener, links, link };
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

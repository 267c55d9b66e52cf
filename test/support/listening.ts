/** Real listeners on a free port of loopback, and what their links tell their owner. */
import { type AddressInfo, createServer } from 'node:net';
import type { ExecutionContext } from 'ava';
import {
  type AccessProtocol,
  type AdmissionRefusal,
  type LinkCounter,
  type LinkGate,
  type LinkRefusal,
  type Listener,
  type ListenerOptions,
  QuicListener,
  type QuicListenerOptions,
  type SecureMaterial,
  TcpListener,
  TlsListener,
  type Transport,
  type TransportHandler,
  WebSocketListener,
} from '../../transports/index.js';
import { testSecureMaterial } from './certificate.js';
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

/** Lets everybody in until told otherwise, and remembers who is in. */
export class TestGate implements LinkGate {
  /** What the next ones are told; empty lets them in. */
  refusal: AdmissionRefusal | '' = '';
  readonly asked: string[] = [];
  readonly inside = new Map<number, string>();
  #tickets = 0;

  admit(remoteAddress: string): number | AdmissionRefusal {
    this.asked.push(remoteAddress);
    if (this.refusal !== '') return this.refusal;
    this.inside.set(this.#tickets, remoteAddress);
    return this.#tickets++;
  }

  release(ticket: number): void {
    if (!this.inside.delete(ticket)) throw new Error(`ticket ${ticket} was given back twice`);
  }
}

export class TestCounter implements LinkCounter {
  readonly refusals: LinkRefusal[] = [];
  /** Per TLS handshake, whether its session was resumed. */
  readonly handshakes: boolean[] = [];

  refused(reason: LinkRefusal): void {
    this.refusals.push(reason);
  }

  secured(isResumed: boolean): void {
    this.handshakes.push(isResumed);
  }
}

export interface Listening {
  readonly port: number;
  readonly listener: Listener;
  readonly links: Link[];
  readonly gate: TestGate;
  readonly counter: TestCounter;
  /** The link accepted as number `index`, counted from 0. */
  link(index?: number): Promise<Link>;
}

const QUIC_DEFAULTS: Omit<QuicListenerOptions, keyof ListenerOptions> = {
  worker: 0,
  workers: 1,
  idleMs: 300_000,
  memoryBytes: 1024 * 1024 * 1024,
};

const LISTENERS: Record<AccessProtocol, (options: ListenerOptions & { secure: SecureMaterial }) => Listener> = {
  tcp: (options) => new TcpListener(options),
  tls: (options) => new TlsListener(options),
  ws: ({ secure: _, ...options }) => new WebSocketListener(options),
  wss: (options) => new WebSocketListener(options),
  quic: (options) => new QuicListener({ ...QUIC_DEFAULTS, ...options }),
};

export async function listening(
  t: ExecutionContext,
  protocol: AccessProtocol,
  options: Partial<ListenerOptions & typeof QUIC_DEFAULTS> = {},
): Promise<Listening> {
  const links: Link[] = [];
  const gate = new TestGate();
  const counter = new TestCounter();
  for (let attempt = 0; ; attempt++) {
    const port = options.port ?? (await freePort());
    const listener = LISTENERS[protocol]({
      host: '127.0.0.1',
      reusePort: false,
      gate,
      counter,
      handshakeMs: 60_000,
      maxHandshakeBytes: 8_196,
      isOriginAllowed: (origin) => origin === 'https://app.example',
      onConnection: (transport) => links.push(new Link(transport)),
      ...options,
      secure: options.secure ?? testSecureMaterial(),
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
    return { port, listener, links, gate, counter, link };
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

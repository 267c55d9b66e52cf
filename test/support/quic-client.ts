/** The SDK's QUIC link as a test's peer. */
import type { ExecutionContext } from 'ava';
import type { Link } from '../../sdk/transports/connector.js';
import { quicConnector } from '../../sdk/transports/quic-connector.js';
import { testSecureMaterial } from './certificate.js';
import { until } from './until.js';

export class QuicClient {
  readonly link: Link;
  readonly chunks: Uint8Array[] = [];
  isOpen = false;
  closes = 0;
  closeCode: number | undefined;
  error: Error | undefined;

  /** @param address `host:port` */
  constructor(address: string, connector = quicConnector({ ca: testSecureMaterial().cert })) {
    this.link = connector(address, {
      onOpen: () => {
        this.isOpen = true;
      },
      onBytes: (bytes) => this.chunks.push(bytes),
      onClose: (error, closeCode) => {
        this.closes += 1;
        this.error = error;
        this.closeCode = closeCode;
      },
    });
  }

  /** Open, or ended. */
  static async open(t: ExecutionContext, address: string, connector?: ReturnType<typeof quicConnector>) {
    const client = new QuicClient(address, connector);
    t.teardown(() => client.link.close());
    await until(() => client.isOpen || client.closes > 0);
    return client;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get received(): number {
    return this.chunks.reduce((sum, { length }) => sum + length, 0);
  }

  send(bytes: Uint8Array | string): void {
    this.link.send(Buffer.from(bytes));
  }
}

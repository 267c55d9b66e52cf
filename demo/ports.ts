/**
 * The demo's ports, all derived from one number, and a check that they are free before anything starts: the reason is
 * then one clear sentence, not a half-started demo.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { TrunklineError } from '../protocol/index.js';

export const DEFAULT_PORT_BASE = 7100;
const HOST = '127.0.0.1';

export interface DemoPorts {
  readonly tcp: number;
  readonly ws: number;
  readonly tls: number;
  readonly wss: number;
  /** UDP. */
  readonly quic: number;
  readonly public: number;
  readonly private: number;
  readonly page: number;
}

/** The highest base whose ports are all valid. */
export const MAX_PORT_BASE = 65_535 - 300;

/** @param base 0 lets the kernel choose every port */
export function portsFrom(base: number): DemoPorts {
  if (base === 0) return { tcp: 0, ws: 0, tls: 0, wss: 0, quic: 0, public: 0, private: 0, page: 0 };
  const [tcp, ws, tls, wss, quic] = [base, base + 1, base + 10, base + 11, base + 12];
  return { tcp, ws, tls, wss, quic, public: base + 100, private: base + 200, page: base + 300 };
}

/** Somebody else listens on a port that the demo wants. */
export class PortTakenError extends TrunklineError {
  readonly code = 'TRK_PORT_TAKEN';
  constructor(
    readonly port: number,
    readonly use: string,
    cause: unknown,
  ) {
    super(
      `port ${port} (${use}) is taken by another process. ` +
        'Stop that one, or choose other ports: --port-base 17100, or --port-base 0 for any that are free.',
      { cause },
    );
  }
}

const USES: Readonly<Record<keyof DemoPorts, string>> = {
  tcp: 'access over TCP',
  ws: 'access over WebSocket',
  tls: 'access over TLS',
  wss: 'access over WebSocket with TLS',
  quic: 'access over QUIC, UDP',
  public: 'control layer',
  private: 'HTTP bridge',
  page: 'demo page',
};

/**
 * @param ports those that will be listened on
 * @throws {PortTakenError}
 */
export async function checkPortsFree(ports: Partial<DemoPorts>): Promise<void> {
  for (const [name, use] of Object.entries(USES)) {
    const port = ports[name as keyof DemoPorts] ?? 0;
    if (port === 0) continue;
    await new Promise<void>((resolve, reject) => {
      const free = (probe: { close(done: () => void): unknown }) => () => probe.close(() => resolve());
      const taken = (error: Error): void => reject(new PortTakenError(port, use, error));
      if (name === 'quic') {
        const probe = createSocket('udp4').once('error', taken);
        probe.bind({ port, address: HOST, exclusive: true }, free(probe));
      } else {
        const probe = createServer().once('error', taken);
        probe.listen(port, HOST, free(probe));
      }
    });
  }
}

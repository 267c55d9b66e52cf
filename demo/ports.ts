/**
 * The demo's five ports, all derived from one number, and a check that they are free before anything starts: the
 * reason is then one clear sentence, not a half-started demo.
 */
import { createServer } from 'node:net';
import { TrunklineError } from '../protocol/index.js';

export const DEFAULT_PORT_BASE = 7100;
const HOST = '127.0.0.1';

export interface DemoPorts {
  readonly tcp: number;
  readonly ws: number;
  readonly public: number;
  readonly private: number;
  readonly page: number;
}

/** The highest base whose ports are all valid. */
export const MAX_PORT_BASE = 65_535 - 300;

/** @param base 0 lets the kernel choose every port */
export function portsFrom(base: number): DemoPorts {
  if (base === 0) return { tcp: 0, ws: 0, public: 0, private: 0, page: 0 };
  return { tcp: base, ws: base + 1, public: base + 100, private: base + 200, page: base + 300 };
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
  public: 'control layer',
  private: 'HTTP bridge',
  page: 'demo page',
};

/** @throws {PortTakenError} */
export async function checkPortsFree(ports: DemoPorts): Promise<void> {
  for (const [name, use] of Object.entries(USES)) {
    const port = ports[name as keyof DemoPorts];
    if (port === 0) continue;
    await new Promise<void>((resolve, reject) => {
      const probe = createServer();
      probe.once('error', (error) => reject(new PortTakenError(port, use, error)));
      probe.listen(port, HOST, () => probe.close(() => resolve()));
    });
  }
}

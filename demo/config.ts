/**
 * The demo's configuration: one app, two businesses, loopback only. Its keys are made at each start and live as long
 * as the demo, so that nothing anybody could reach is guarded by a key from a public repository.
 */
import { randomBytes } from 'node:crypto';
import { type ConfigInput, type NodeConfig, parseConfig } from '../config/index.js';
import type { DemoCertificate } from './certificate.js';
import type { DemoPorts } from './ports.js';

export const DEMO_APP = 'demo';
export const DEMO_ROOM = 'room-1';
/** Of the devices that the demo brings along. */
export const DEMO_DEVICE_PREFIX = 'demo-device-';

export interface DemoKeys {
  /** Of the app's back-end. */
  readonly app: string;
  /** By which the app's back-end says who a device is. */
  readonly assertion: string;
  readonly im: string;
  readonly live: string;
  readonly imSigning: string;
  readonly liveSigning: string;
}

export function createDemoKeys(): DemoKeys {
  const key = (name: string): string => `demo-${name}-${randomBytes(12).toString('hex')}`;
  return {
    app: key('app'),
    assertion: key('assertion'),
    im: key('im'),
    live: key('live'),
    imSigning: key('im-signing'),
    liveSigning: key('live-signing'),
  };
}

export interface DemoConfigOptions {
  readonly ports: DemoPorts;
  readonly keys: DemoKeys;
  readonly certificate: Pick<DemoCertificate, 'certFile' | 'keyFile'>;
  /** Whether the node listens with QUIC as well. */
  readonly hasQuic: boolean;
  readonly dataDir: string;
  readonly logLevel: NodeConfig['node']['logLevel'];
  /** URLs of the two back-ends. */
  readonly upstreams: { readonly im: string; readonly live: string };
  /** Origins of the demo page. */
  readonly origins: readonly string[];
}

export function createDemoConfig(options: DemoConfigOptions): NodeConfig {
  const { ports, keys, upstreams } = options;
  const { certFile, keyFile } = options.certificate;
  const input: ConfigInput = {
    // Two workers show that a device's worker does not matter, on any machine.
    node: { name: 'demo', dataDir: options.dataDir, workers: 2, drainMs: 3_000, logLevel: options.logLevel },
    access: {
      tcp: { port: ports.tcp },
      ws: { port: ports.ws },
      tls: { port: ports.tls, certFile, keyFile },
      wss: { port: ports.wss, certFile, keyFile },
      quic: options.hasQuic ? { port: ports.quic, certFile, keyFile } : null,
    },
    public: { port: ports.public },
    private: { port: ports.private },
    // Long enough that a cut connection can be watched coming back.
    retry: { minMs: 2_000, maxMs: 10_000 },
    heartbeat: { intervalMs: 15_000 },
    apps: { [DEMO_APP]: { keys: [keys.app], assertionSecret: keys.assertion, origins: [...options.origins] } },
    businesses: {
      im: {
        id: 1,
        apps: [DEMO_APP],
        public: true,
        keys: [keys.im],
        upstream: { url: upstreams.im, signingSecret: keys.imSigning, deadlineMs: 5_000 },
      },
      live: {
        id: 2,
        apps: [DEMO_APP],
        public: true,
        keys: [keys.live],
        upstream: { url: upstreams.live, signingSecret: keys.liveSigning, deadlineMs: 5_000 },
        downstream: { slowConsumer: 'drop-oldest' },
        groups: { open: ['room-*'] },
      },
    },
  };
  // JSON is YAML: the embedded configuration passes the same checks as a file.
  return parseConfig(JSON.stringify(input), { source: 'demo configuration', env: {} });
}

/** The configuration of a node under test: one app, two businesses, ports of the kernel's choice. */
import type { ConfigInput } from '../../config/index.js';

export const TEST_KEYS = {
  app: 'test-app-key-0123456789',
  im: 'test-im-key-0123456789',
  live: 'test-live-key-0123456789',
  signing: 'test-signing-secret-0123456789',
};

export interface TestNodeOptions {
  readonly workers?: number;
  readonly drainMs?: number;
  /** Of business `im`. */
  readonly upstreamUrl?: string;
  /** Of business `im`; takes an `upstreamUrl`. */
  readonly events?: { readonly connected?: boolean; readonly disconnected?: boolean };
  /** Over what app `demo` has. */
  readonly app?: Partial<ConfigInput['apps'][string]>;
  /** Beside `demo`; no business serves them. */
  readonly otherApps?: ConfigInput['apps'];
  readonly limits?: ConfigInput['limits'];
  readonly access?: ConfigInput['access'];
  readonly privatePort?: number;
  /** Of both HTTP listeners. */
  readonly trustedProxies?: string[];
  readonly overload?: ConfigInput['overload'];
  readonly heartbeat?: ConfigInput['heartbeat'];
  readonly report?: ConfigInput['report'];
  /** Of business `live`. */
  readonly liveUpstream?: Omit<NonNullable<ConfigInput['businesses'][string]['upstream']>, 'signingSecret'>;
}

/** A shared machine stalls threads by itself; only a test of overload wants to see it. */
const PATIENT = { loopDelayMs: 10_000 };

/** As `trunkline start` would read it; `upstreamUrl` and ports are the test's. */
export function testConfig(dataDir: string, options: TestNodeOptions = {}): ConfigInput {
  const { workers = 2, drainMs = 3_000, upstreamUrl, limits, access, privatePort = 0, trustedProxies = [] } = options;
  const { overload = PATIENT, liveUpstream } = options;
  return {
    node: { name: 'test', dataDir, workers, drainMs, logLevel: 'error' },
    access: { tcp: { port: 0 }, ws: { port: 0 }, ...access },
    public: { port: 0, trustedProxies },
    private: { port: privatePort, trustedProxies },
    ...(limits === undefined ? {} : { limits }),
    overload,
    ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
    ...(options.report === undefined ? {} : { report: options.report }),
    apps: { demo: { keys: [TEST_KEYS.app], origins: ['*'], ...options.app }, ...options.otherApps },
    businesses: {
      im: {
        id: 1,
        apps: ['demo'],
        public: true,
        keys: [TEST_KEYS.im],
        groups: { open: ['room-*'] },
        ...(upstreamUrl === undefined ? {} : { upstream: { url: upstreamUrl, signingSecret: TEST_KEYS.signing } }),
        ...(options.events === undefined ? {} : { events: options.events }),
      },
      live: {
        id: 2,
        apps: ['demo'],
        public: true,
        keys: [TEST_KEYS.live],
        groups: { createOnJoin: true, open: ['stage-*'] },
        ...(liveUpstream === undefined ? {} : { upstream: { ...liveUpstream, signingSecret: TEST_KEYS.signing } }),
      },
    },
  };
}

/**
 * The one schema of a node's configuration file. Every setting has its unit in its name and its default here;
 * the commented sample is `config/trunkline.sample.yaml`.
 *
 * @see docs/operations.md, "Configuration"
 */
import { z } from 'zod';
import {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_MAX_GROUPS,
  DEFAULT_MAX_IN_FLIGHT,
  MAX_DECLARABLE_BYTES,
} from '../protocol/index.js';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'a name: lower-case letters, digits and dashes, at most 32');
const port = z.number().int().min(0).max(65535);
const durationMs = z.number().int().min(1);

/** A secret in place, from a file, or from an environment variable; resolved when the file is loaded. */
const secret = z.union(
  [z.string().min(16), z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })],
  'a secret of at least 16 characters, { file: PATH } or { env: NAME }',
);
export type SecretSource = z.infer<typeof secret>;

/** An address range such as `10.0.0.0/8`, or a single address. */
const cidr = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]);

const listener = (defaultPort: number) =>
  z.strictObject({
    host: z.string().default('127.0.0.1'),
    /** 0 lets the kernel choose. */
    port: port.default(defaultPort),
    /** What clients are told to connect to, `host:port`; the listening address when absent. */
    advertise: z.string().optional(),
  });

/** An HTTP listener. */
const httpListener = (defaultPort: number) =>
  listener(defaultPort).extend({
    /** X-Forwarded-For counts only from these peers. */
    trustedProxies: z.array(cidr).default([]),
  });

/** An access listener. */
const accessListener = (defaultPort: number) =>
  listener(defaultPort).extend({
    /** Where it stands, a PROXY protocol header (v1 or v2) is mandatory, and believed only from these peers. */
    proxyProtocol: z.strictObject({ from: z.array(cidr).min(1) }).optional(),
  });

const secureListener = (defaultPort: number) =>
  accessListener(defaultPort).extend({
    /** PEM file with the certificate chain; read again when it changes. */
    certFile: z.string().min(1),
    /** PEM file with the private key, mode 0600. */
    keyFile: z.string().min(1),
  });

const upstream = z.strictObject({
  /** Requests and events are POSTed here; redirects are refused. */
  url: z.url({ protocol: /^https?$/ }),
  /** HMAC-SHA-256 key of the webhook signature. */
  signingSecret: secret,
  /** Requests under way at once, per node. */
  concurrency: z.number().int().min(1).default(64),
  /** Requests waiting beyond those; more are answered RESOURCE_EXHAUSTED. */
  maxQueue: z.number().int().min(0).default(256),
  /** The longest a request may take, whatever the client asked for. */
  deadlineMs: durationMs.default(10_000),
  /** Bytes of a back-end's answer; a longer one is answered INTERNAL. */
  maxResponseBytes: z
    .number()
    .int()
    .min(1)
    .max(MAX_DECLARABLE_BYTES)
    .default(DEFAULT_MAX_FRAME_BYTES / 2),
  breaker: z
    .strictObject({
      /** Failures in a row that open the breaker. */
      failures: z.number().int().min(1).default(10),
      /** How long it stays open before one request may try. */
      openMs: durationMs.default(5_000),
    })
    .prefault({}),
});

const downstream = z.strictObject({
  /** Share of a worker's fan-out time against other businesses. */
  weight: z.number().int().min(1).max(100).default(10),
  /** Widest time multicasts are gathered while the worker is busy; 0 never waits. */
  maxWindowMs: z.number().int().min(0).max(1_000).default(10),
  /** Unsent bytes one connection may hold for this business. */
  maxQueueBytes: z
    .number()
    .int()
    .min(1_024)
    .default(1024 * 1024),
  /** What happens at `maxQueueBytes`. */
  slowConsumer: z.enum(['disconnect', 'drop-oldest', 'latest-only']).default('disconnect'),
});

const business = z.strictObject({
  /** On the wire; never reused for another business. */
  id: z.number().int().min(1).max(16_383),
  /** Apps whose devices may be granted this business. */
  apps: z.array(name).min(1),
  /** Granted to a device that proved no identity. */
  public: z.boolean().default(false),
  /** Keys for the HTTP bridge; several allow rotation. */
  keys: z.array(secret).min(1).max(4),
  upstream: upstream.optional(),
  downstream: downstream.prefault({}),
  /** Requests a second of one key at the bridge, with a burst of twice as many; 0 means no limit. */
  requestsPerSecond: z.number().int().min(0).default(0),
  /** Connection events that are POSTed to `upstream.url`. */
  events: z
    .strictObject({ connected: z.boolean().default(false), disconnected: z.boolean().default(false) })
    .prefault({}),
  groups: z
    .strictObject({
      /** A JOIN creates a group that does not exist. */
      createOnJoin: z.boolean().default(false),
      /** Groups that any granted device may join; `*` ends a prefix. Others are named in the token. */
      open: z.array(z.string().min(1).max(128)).default([]),
    })
    .prefault({}),
});

const app = z.strictObject({
  /** The app's back-end keys: device tokens, closing connections. */
  keys: z.array(secret).min(1).max(4),
  /** HS256 key of the assertions by which the app's back-end names a device. */
  assertionSecret: secret.optional(),
  /** Web origins that may bootstrap and open WebSockets; `*` for any. */
  origins: z.array(z.string()).default([]),
  /** Life of a device token. */
  tokenTtlMs: durationMs.default(3_600_000),
  /** Tokens a minute that the app's back-end may have issued. */
  tokensPerMinute: z.number().int().min(1).default(60_000),
  /** Bootstraps a minute from one IP address. */
  bootstrapsPerMinutePerIp: z.number().int().min(1).default(600),
});

export const configSchema = z.strictObject({
  node: z
    .strictObject({
      name: name.default('trunkline'),
      /** Keys and state; made with mode 0700 when absent. */
      dataDir: z.string().default('./data'),
      /** Access worker threads; 0 means one per core. */
      workers: z.number().int().min(0).max(256).default(0),
      /** From SIGTERM to the end of the process. */
      drainMs: durationMs.default(10_000),
      logLevel: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
    })
    .prefault({}),
  access: z
    .strictObject({
      tcp: accessListener(7100).nullable().prefault({}),
      ws: accessListener(7101).nullable().prefault({}),
      tls: secureListener(7110).nullable().default(null),
      wss: secureListener(7111).nullable().default(null),
    })
    .prefault({}),
  public: httpListener(7200).prefault({}),
  private: httpListener(7300)
    .extend({
      /** Keys of the admin API, which is off while there is none. */
      adminKeys: z.array(secret).max(4).default([]),
    })
    .prefault({}),
  limits: z
    .strictObject({
      connections: z.number().int().min(1).default(200_000),
      /** Connections from one IP address; IPv6 counts by /64. */
      connectionsPerIp: z.number().int().min(1).default(20_000),
      /** New links a second, all threads together; more are cut off. */
      acceptsPerSecond: z.number().int().min(1).default(20_000),
      handshakeMs: durationMs.default(10_000),
      frameBytes: z.number().int().min(1_024).max(MAX_DECLARABLE_BYTES).default(DEFAULT_MAX_FRAME_BYTES),
      inFlight: z.number().int().min(1).default(DEFAULT_MAX_IN_FLIGHT),
      /** Requests a second of one connection, with a burst of twice as many; more are answered RESOURCE_EXHAUSTED. */
      requestsPerSecond: z.number().int().min(1).default(1_000),
      groups: z.number().int().min(1).default(DEFAULT_MAX_GROUPS),
      /** Pushes the router holds for an answer; more are refused with 429. */
      pendingPushes: z.number().int().min(1).default(50_000),
    })
    .prefault({}),
  overload: z
    .strictObject({
      /** Event-loop delay from which a node refuses new connections. */
      loopDelayMs: durationMs.default(500),
      /** Resident memory from which it does, in MiB; 0 means four fifths of what the process may have. */
      memoryMiB: z.number().int().min(0).default(0),
    })
    .prefault({}),
  heartbeat: z
    .strictObject({
      intervalMs: durationMs.default(60_000),
      /** Heartbeats without any answer before the connection counts as stale. */
      maxMissed: z.number().int().min(1).max(10).default(2),
    })
    .prefault({}),
  retry: z
    .strictObject({
      /** First reconnect delay; doubled each time, with full jitter. */
      minMs: durationMs.default(500),
      maxMs: durationMs.default(30_000),
    })
    .prefault({}),
  apps: z.record(name, app),
  businesses: z.record(name, business),
});

/** As written in the file. */
export type ConfigInput = z.input<typeof configSchema>;
/** Checked, with defaults; secrets may still be references. */
export type ParsedConfig = z.output<typeof configSchema>;

type SecretReference = Exclude<SecretSource, string>;

type Resolved<T> = T extends SecretReference
  ? string
  : T extends readonly (infer U)[]
    ? readonly Resolved<U>[]
    : T extends object
      ? { readonly [K in keyof T]: Resolved<T[K]> }
      : T;

/** Ready to use: secrets resolved, frozen. */
export type NodeConfig = Resolved<ParsedConfig>;
export type AppConfig = NodeConfig['apps'][string];
export type BusinessConfig = NodeConfig['businesses'][string];
export type UpstreamConfig = NonNullable<BusinessConfig['upstream']>;
export type DownstreamConfig = BusinessConfig['downstream'];
/** What every listener has. */
export type ListenerConfig = Pick<NodeConfig['public'], 'host' | 'port' | 'advertise'>;
export type AccessListenerConfig = NonNullable<NodeConfig['access']['tcp']>;
export type SecureListenerConfig = NonNullable<NodeConfig['access']['tls']>;

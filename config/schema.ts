/**
 * The one schema of a node's configuration file. Every setting has its unit in its name, its default here, and its
 * meaning in a `describe`, because editors (`config/trunkline.schema.json`) and people read the same sentence.
 * The commented sample is `config/trunkline.sample.yaml`.
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
import { cidr, cluster, control, engine } from './cluster-schema.js';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'a name: lower-case letters, digits and dashes, at most 32');
const port = z.number().int().min(0).max(65535);
const durationMs = z.number().int().min(1);
/** At most a day. */
const heartbeatMs = durationMs.max(86_400_000);

/** A secret in place, from a file, or from an environment variable; resolved when the file is loaded. */
const secret = z.union(
  [z.string().min(16), z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })],
  'a secret of at least 16 characters, { file: PATH } or { env: NAME }',
);
export type SecretSource = z.infer<typeof secret>;

const listener = (defaultPort: number) =>
  z.strictObject({
    host: z.string().default('127.0.0.1').describe('Address to listen at; 0.0.0.0 for every IPv4 address'),
    port: port.default(defaultPort).describe('0 lets the kernel choose'),
  });

const httpListener = (defaultPort: number) =>
  listener(defaultPort).extend({
    trustedProxies: z.array(cidr).default([]).describe('X-Forwarded-For counts only from these peers'),
  });

const accessListener = (defaultPort: number) =>
  listener(defaultPort).extend({
    advertise: z
      .string()
      .optional()
      .describe('What clients are told to connect to, host:port; the listening address when absent'),
    proxyProtocol: z
      .strictObject({ from: z.array(cidr).min(1).describe('Peers whose header is believed; others are cut off') })
      .optional()
      .describe('Where it stands, a PROXY protocol header (v1 or v2) is mandatory'),
  });

const secureListener = (defaultPort: number) =>
  accessListener(defaultPort).extend({
    certFile: z.string().min(1).describe('PEM file with the certificate chain; read again when it changes'),
    keyFile: z.string().min(1).describe('PEM file with the private key, mode 0600'),
  });

const quicListener = listener(7112).extend({
  advertise: z
    .string()
    .optional()
    .describe('What clients are told to connect to, host:port; the listening address when absent'),
  certFile: z.string().min(1).describe('PEM file with the certificate chain; read again when it changes'),
  keyFile: z.string().min(1).describe('PEM file with the private key, mode 0600'),
  workers: z.number().int().min(1).max(64).default(1).describe('Threads of their own that hold QUIC connections'),
  memoryMiB: z
    .number()
    .int()
    .min(32)
    .default(512)
    .describe('Memory of each of those threads; beyond it new connections are refused'),
  idleMs: durationMs
    .default(300_000)
    .describe('A connection of which nothing is heard for this long is over; longer than heartbeats may take'),
});

const upstream = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('Requests and events are POSTed here; redirects are refused'),
  signingSecret: secret.describe('HMAC-SHA-256 key of the webhook signature'),
  concurrency: z.number().int().min(1).default(64).describe('Requests under way at once, per node'),
  maxQueue: z
    .number()
    .int()
    .min(0)
    .default(256)
    .describe('Requests waiting beyond those; more are answered RESOURCE_EXHAUSTED'),
  deadlineMs: durationMs.default(10_000).describe('The longest a request may take, whatever the client asked for'),
  maxResponseBytes: z
    .number()
    .int()
    .min(1)
    .max(MAX_DECLARABLE_BYTES)
    .default(DEFAULT_MAX_FRAME_BYTES / 2)
    .describe("Bytes of a back-end's answer; a longer one is answered INTERNAL"),
  breaker: z
    .strictObject({
      failures: z.number().int().min(1).default(10).describe('Failures in a row that open the breaker'),
      openMs: durationMs.default(5_000).describe('How long it stays open before one request may try'),
    })
    .prefault({})
    .describe('Spares a back-end that fails'),
});

const downstream = z.strictObject({
  weight: z.number().int().min(1).max(100).default(10).describe("Share of a worker's fan-out time against others"),
  maxWindowMs: z
    .number()
    .int()
    .min(0)
    .max(1_000)
    .default(10)
    .describe('Widest time multicasts are gathered while the worker is busy; 0 never waits'),
  maxQueueBytes: z
    .number()
    .int()
    .min(1_024)
    .default(1024 * 1024)
    .describe('Unsent bytes one connection may hold for this business'),
  slowConsumer: z
    .enum(['disconnect', 'drop-oldest', 'latest-only'])
    .default('disconnect')
    .describe('What happens at maxQueueBytes'),
});

const business = z.strictObject({
  id: z.number().int().min(1).max(16_383).describe('On the wire; never reused for another business'),
  apps: z.array(name).min(1).describe('Apps whose devices may be granted this business'),
  public: z.boolean().default(false).describe('Granted to a device that proved no identity'),
  keys: z.array(secret).min(1).max(4).describe('Keys for the HTTP bridge; several allow rotation'),
  upstream: upstream.optional().describe("The business's back-end; a business without one only pushes"),
  downstream: downstream.prefault({}).describe('Pushes to devices'),
  requestsPerSecond: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('Requests a second of one key at the bridge, with a burst of twice as many; 0 means no limit'),
  events: z
    .strictObject({
      connected: z.boolean().default(false).describe('A device with this business logged in'),
      disconnected: z.boolean().default(false).describe('Its connection ended'),
    })
    .prefault({})
    .describe('Connection events that are POSTed to upstream.url'),
  groups: z
    .strictObject({
      createOnJoin: z.boolean().default(false).describe('A JOIN creates a group that does not exist'),
      open: z
        .array(z.string().min(1).max(128))
        .default([])
        .describe('Groups that any granted device may join; * ends a prefix. Others are named in the token'),
    })
    .prefault({})
    .describe('Groups of devices'),
});

const app = z.strictObject({
  keys: z.array(secret).min(1).max(4).describe("The app's back-end keys: device tokens, closing connections"),
  assertionSecret: secret.optional().describe("HS256 key of the assertions by which the app's back-end names a device"),
  origins: z.array(z.string()).default([]).describe('Web origins that may bootstrap and open WebSockets; * for any'),
  tokenTtlMs: durationMs.default(3_600_000).describe('Life of a device token'),
  tokensPerMinute: z
    .number()
    .int()
    .min(1)
    .default(60_000)
    .describe("Tokens a minute that the app's back-end may have issued"),
  bootstrapsPerMinutePerIp: z.number().int().min(1).default(600).describe('Bootstraps a minute from one IP address'),
});

export const configSchema = z.strictObject({
  node: z
    .strictObject({
      name: name.default('trunkline').describe('In every log line; each node of a service has its own'),
      region: name.default('default').describe('Where the node is; clients of a region are sent to its nodes'),
      pool: name.default('default').describe('Which pool of access nodes it is of; policies send clients to pools'),
      roles: z
        .array(z.enum(['access', 'bridge', 'control']))
        .min(1)
        .default(['access', 'bridge', 'control'])
        .describe('What the node does: hold connections, serve back-ends, serve the control layer'),
      dataDir: z.string().default('./data').describe('Keys and state; made with mode 0700 when absent'),
      workers: z.number().int().min(0).max(256).default(0).describe('Access worker threads; 0 means one per core'),
      drainMs: durationMs.default(10_000).describe('From SIGTERM to the end of the process'),
      logLevel: z.enum(['error', 'warn', 'info', 'debug']).default('info').describe('The least important line logged'),
    })
    .prefault({})
    .describe('The node itself'),
  engine,
  cluster,
  control,
  access: z
    .strictObject({
      tcp: accessListener(7100).nullable().prefault({}).describe('Plain TCP; null switches it off'),
      ws: accessListener(7101).nullable().prefault({}).describe('WebSocket at /connect; null switches it off'),
      tls: secureListener(7110).nullable().default(null).describe('TCP over TLS'),
      wss: secureListener(7111).nullable().default(null).describe('WebSocket over TLS at /connect'),
      quic: quicListener.nullable().default(null).describe('QUIC (UDP), experimental: docs/security.md, "QUIC"'),
    })
    .prefault({})
    .describe('Where devices connect'),
  public: httpListener(7200).prefault({}).describe('Bootstrap and public keys, for everybody'),
  private: httpListener(7300)
    .extend({
      adminKeys: z.array(secret).max(4).default([]).describe('Keys of the admin API, which is off while there is none'),
    })
    .prefault({})
    .describe('HTTP bridge, admin API, health and metrics; never for the internet'),
  limits: z
    .strictObject({
      connections: z
        .number()
        .int()
        .min(1)
        .default(200_000)
        .describe('Connections of the node; never above its open-file limit'),
      connectionsPerIp: z
        .number()
        .int()
        .min(1)
        .default(20_000)
        .describe('Connections from one IP address; IPv6 counts by /64'),
      acceptsPerSecond: z
        .number()
        .int()
        .min(1)
        .default(20_000)
        .describe('New links a second, all threads together; more are cut off'),
      handshakeMs: durationMs.default(10_000).describe('From accept to a valid login'),
      frameBytes: z
        .number()
        .int()
        .min(1_024)
        .max(MAX_DECLARABLE_BYTES)
        .default(DEFAULT_MAX_FRAME_BYTES)
        .describe('The longest frame of a device that has logged in'),
      inFlight: z
        .number()
        .int()
        .min(1)
        .default(DEFAULT_MAX_IN_FLIGHT)
        .describe('Requests of one connection that wait for their answer'),
      requestsPerSecond: z
        .number()
        .int()
        .min(1)
        .default(1_000)
        .describe('Requests a second of one connection, with a burst of twice as many; more are RESOURCE_EXHAUSTED'),
      groups: z.number().int().min(1).default(DEFAULT_MAX_GROUPS).describe('Groups one connection is a member of'),
      pendingPushes: z
        .number()
        .int()
        .min(1)
        .default(50_000)
        .describe('Pushes the router holds for an answer; more are refused with 429'),
    })
    .prefault({})
    .describe('Bounds of the node and of one connection'),
  overload: z
    .strictObject({
      loopDelayMs: durationMs.default(500).describe('Event-loop delay from which a node refuses new connections'),
      memoryMiB: z
        .number()
        .int()
        .min(0)
        .default(0)
        .describe('Resident memory from which it does, in MiB; 0 means four fifths of what the process may have'),
    })
    .prefault({})
    .describe('When the node spares itself'),
  heartbeat: z
    .strictObject({
      intervalMs: durationMs.default(60_000).describe('Told to clients at login; where an adaptive client begins'),
      minMs: heartbeatMs
        .default(30_000)
        .describe('Shortest interval that a client may choose; intervalMs where that is less'),
      maxMs: heartbeatMs
        .default(180_000)
        .describe('Longest interval that a client may choose; intervalMs where that is more'),
      maxMissed: z
        .number()
        .int()
        .min(1)
        .max(10)
        .default(2)
        .describe('Heartbeats without any answer before the connection counts as stale'),
    })
    .prefault({})
    .describe('Liveness of connections'),
  report: z
    .strictObject({
      share: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe('Share of the connections that report what they measured, 0 to 1; 0 switches it off'),
      intervalMs: z
        .number()
        .int()
        .min(10_000)
        .default(300_000)
        .describe('Between two reports of one connection, the first comes at the login'),
    })
    .prefault({})
    .describe('Measurements of the clients'),
  retry: z
    .strictObject({
      minMs: durationMs.default(500).describe('First reconnect delay; doubled each time, with full jitter'),
      maxMs: durationMs.default(30_000).describe('Ceiling of every reconnect delay'),
    })
    .prefault({})
    .describe('Told to clients at bootstrap'),
  apps: z.record(name, app).describe('Programs on devices, by name. A device is (app, device id)'),
  businesses: z.record(name, business).describe("Products that share the devices' connections, by name"),
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
export type EngineConfig = NodeConfig['engine'];
export type RedisConfig = Extract<EngineConfig, { type: 'redis' }>;
export type UpstreamConfig = NonNullable<BusinessConfig['upstream']>;
export type DownstreamConfig = BusinessConfig['downstream'];
/** What every listener has. */
export type ListenerConfig = Pick<NodeConfig['public'], 'host' | 'port'>;
export type AccessListenerConfig = NonNullable<NodeConfig['access']['tcp']>;
export type SecureListenerConfig = NonNullable<NodeConfig['access']['tls']>;
export type QuicListenerConfig = NonNullable<NodeConfig['access']['quic']>;

/** Settings of a service of many nodes: where they share their state, and how clients are spread over them. */
import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'a name: lower-case letters, digits and dashes, at most 32');
const hostAndPort = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^\s:[\]/]+):\d{1,5}$/, 'host:port');
const durationMs = z.number().int().min(1);

/** Redis's own rules for passwords are laxer than those for keys. */
const password = z.union(
  [z.string().min(1), z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })],
  'a password, { file: PATH } or { env: NAME }',
);

const ENGINE_TYPE = 'embedded: in this node, which is then the only one; redis: in Redis, for any number of nodes';

const embeddedEngine = z.strictObject({ type: z.literal('embedded').describe(ENGINE_TYPE) });

const redisEngine = z.strictObject({
  type: z.literal('redis').describe(ENGINE_TYPE),
  mode: z.enum(['standalone', 'sentinel', 'cluster']).default('standalone').describe('What stands at these addresses'),
  addresses: z
    .array(hostAndPort)
    .min(1)
    .default(['127.0.0.1:6379'])
    .describe('One server; or the Sentinels; or some nodes of a Redis Cluster'),
  sentinelName: z.string().min(1).default('mymaster').describe('What the Sentinels call the primary'),
  sentinelPassword: password.optional().describe('Of the Sentinels, where they ask for one'),
  username: z.string().min(1).optional().describe('Of an ACL user'),
  password: password.optional().describe('Of the user, or of the server'),
  tls: z.boolean().default(false).describe('Encrypted, with a certificate that this machine trusts'),
  prefix: z
    .string()
    .regex(/^[a-z0-9-]{1,16}$/)
    .default('trk')
    .describe('Of every key and channel; services that share a Redis need one each'),
  connectTimeoutMs: durationMs.default(5_000).describe('For the first connection at the start of the node'),
  commandTimeoutMs: durationMs.default(1_000).describe('A command without an answer by then has failed'),
});

export const engine = z
  .discriminatedUnion('type', [embeddedEngine, redisEngine], 'one of: embedded, redis')
  .prefault({ type: 'embedded' })
  .describe('Where routes, groups and leases are kept');

export const cluster = z
  .strictObject({
    leaseMs: z
      .number()
      .int()
      .min(500)
      .max(300_000)
      .default(5_000)
      .describe('A node that was not heard of for this long is suspect, and its devices are offline'),
  })
  .prefault({})
  .describe('Nodes among each other');

const protocolName = z.enum(['tcp', 'ws', 'tls', 'wss', 'quic']);

/** An address range such as `10.0.0.0/8`, or a single address. */
export const cidr = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], 'an address or a range such as 10.0.0.0/8');

const MAX_CIDRS = 10_000;
const MAX_DOMAINS = 16;

const weightedDomain = z.strictObject({
  address: hostAndPort.describe('host:port'),
  weight: z.number().int().min(1).max(1_000).default(1).describe('How often it is named first, for the others'),
});

/** One domain may stand without its list. */
const domains = z.union(
  [hostAndPort, z.array(weightedDomain).min(1).max(MAX_DOMAINS)],
  'host:port, or a list of { address: host:port, weight: NUMBER }',
);

const region = z.strictObject({
  fallback: z
    .array(name)
    .default([])
    .describe('Regions to be sent to, in this order, when none of its nodes takes clients'),
  domains: z
    .partialRecord(protocolName, domains)
    .default({})
    .describe('What clients of the region are told to dial instead of single nodes, such as load balancers'),
  cidrs: z
    .array(cidr)
    .max(MAX_CIDRS)
    .default([])
    .describe('Addresses of clients that are of this region unless they name one; the longest prefix wins'),
});

export const control = z
  .strictObject({
    accessPoints: z.number().int().min(1).max(16).default(3).describe('Nodes that a bootstrap names per protocol'),
    regions: z.record(name, region).default({}).describe('Regions by name; a node is in one (node.region)'),
    pools: z
      .array(name)
      .min(1)
      .max(16)
      .default(['default'])
      .describe('Pools that clients are sent to, in this order, unless a policy names others before them'),
    policies: z
      .strictObject({
        file: z.string().min(1).nullable().default(null).describe('YAML file of policies and rollouts; null for none'),
      })
      .prefault({})
      .describe('Which clients get what'),
  })
  .prefault({})
  .describe('Which nodes clients are sent to');

/** What an operator is answered about the nodes of a service, and what they may ask of a drain. */
import { z } from 'zod';

const MAX_WINDOW_MS = 3_600_000;

const peerState = z.enum(['joined', 'suspect', 'gone']);
const ownState = z.enum(['unregistered', 'registered', 'cut off', 'sent away', 'withdrawn']);

export const membershipAnswer = z
  .object({ state: ownState, reason: z.string() })
  .describe('Place of this node among the nodes of the service, and why');

const glance = z.object({
  name: z.string(),
  incarnation: z.string().describe('New at every start'),
  version: z.string(),
  region: z.string(),
  roles: z.array(z.string()),
  startedAtMs: z.int().describe('Milliseconds since 1970, by its own clock'),
  connections: z.int(),
  connectionLimit: z.int(),
  load: z.number().describe('0 idle to 1 and above overloaded: the busiest of its threads'),
  draining: z.boolean(),
  accessPoints: z.record(z.string(), z.string()).describe('`host:port` by protocol; none before it serves'),
  workersUp: z.int(),
  workers: z.int(),
  state: peerState,
  reason: z.string().describe('Why it is in that state'),
  stateMs: z.int().describe('For how long it has been'),
  leaseLeftMs: z.int().describe('Until its lease lapses'),
  leaseAgeMs: z.int().describe('Since its lease was renewed'),
  own: z.boolean().describe('The node that answers'),
});

export const clusterAnswer = z
  .object({
    node: z.string().describe('The node that answers'),
    engine: z.enum(['embedded', 'redis']),
    leaseMs: z.int(),
    own: z.object({ state: ownState, reason: z.string(), stateMs: z.int() }),
    nodes: z.array(glance).describe('By name; those that are gone stay for ten minutes'),
  })
  .meta({ id: 'Cluster', description: 'The nodes of a service, as one of them sees them' });
export type ClusterAnswer = z.output<typeof clusterAnswer>;

export const drainBody = z
  .strictObject({
    windowMs: z
      .int()
      .min(0)
      .max(MAX_WINDOW_MS)
      .optional()
      .describe('Over which clients are told to go; a fifth of `node.drainMs` by default'),
    preferNode: z.string().min(1).max(32).optional().describe('Name of the node that is to take the clients'),
  })
  .nullish();

export const drainAnswer = z
  .object({
    node: z.string(),
    connections: z.int().describe('As it begins'),
    windowMs: z.int(),
    withinMs: z.int().describe('By then the process has ended'),
    to: z.array(z.string()).readonly().describe('Nodes that the clients are sent to; none when there is no other'),
  })
  .meta({ id: 'Drain' });
export type DrainAnswer = z.output<typeof drainAnswer>;

/**
 * One name, one node. A node that starts and finds a lease under its own name cannot know whether that is an earlier run
 * that crashed or another node that was given the same name; so it watches the lease for as long as it may last. One
 * that is renewed belongs to somebody; one that lapses is swept like any other node that is gone.
 */
import { TrunklineError } from '../../protocol/index.js';
import type { Membership, NodeLease, NodeRecord } from '../engines/contract/index.js';

/** Another node that lives has the configured name. */
export class NodeNameTakenError extends TrunklineError {
  readonly code = 'TRK_NODE_NAME_TAKEN';
  constructor({ name, incarnation, accessPoints }: Pick<NodeRecord, 'name' | 'incarnation' | 'accessPoints'>) {
    const at = Object.values(accessPoints);
    const where = at.length === 0 ? '' : `, at ${at.join(' and ')}`;
    super(
      `another node that is alive is called ${JSON.stringify(name)} (incarnation ${incarnation}${where}). ` +
        'Give each node a node.name of its own, or stop that one first.',
    );
  }
}

export interface NameClaimOptions {
  readonly membership: Membership;
  readonly name: string;
  readonly incarnation: string;
  readonly leaseMs: number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly now: () => number;
  /** A lease of this name has lapsed: what it left may be swept. */
  readonly takeOver: (record: NodeRecord) => Promise<unknown>;
  /** A lease of this name stands and is watched. */
  readonly onWait: (record: NodeRecord, leftMs: number) => void;
}

const LOOKS_PER_LEASE = 5;
/** What a lease may seem to gain between two looks without having been renewed: an answer that was late. */
const TOLERANCE = 0.1;
/** Beyond the end of the lease, for the last look to find it lapsed. */
const MARGIN = 0.2;

/** @throws {NodeNameTakenError} a lease of this name is being renewed; {EngineUnavailableError} */
export async function claimName(options: NameClaimOptions): Promise<void> {
  const { leaseMs, sleep, now, takeOver, onWait } = options;
  let namesakes = await findNamesakes(options);
  const endsMs = new Map(namesakes.map(({ record, leftMs }) => [record.incarnation, now() + leftMs]));
  for (const { record, leftMs } of namesakes) if (leftMs > 0) onWait(record, leftMs);
  const untilMs = now() + leaseMs * (1 + MARGIN);
  while (namesakes.some(({ leftMs }) => leftMs > 0)) {
    await sleep(leaseMs / LOOKS_PER_LEASE);
    namesakes = await findNamesakes(options);
    for (const { record, leftMs } of namesakes) {
      const expectedMs = (endsMs.get(record.incarnation) ?? Number.NEGATIVE_INFINITY) - now();
      // New since the first look, longer than it could be, or still there when its time is over.
      const isRenewed = leftMs > Math.max(expectedMs, 0) + leaseMs * TOLERANCE;
      if (isRenewed || (leftMs > 0 && now() > untilMs)) throw new NodeNameTakenError(record);
    }
  }
  for (const { record } of namesakes) await takeOver(record);
}

/**
 * Of two nodes that started at the same moment the second one to have registered gives way.
 *
 * @param nodes the view that the first renewal brought
 * @throws {NodeNameTakenError}
 */
export function refuseNamesake(nodes: readonly NodeLease[], { name, incarnation }: NodeRecord): void {
  const other = nodes.find(
    ({ record, leftMs }) => record.name === name && record.incarnation !== incarnation && leftMs > 0,
  );
  if (other !== undefined) throw new NodeNameTakenError(other.record);
}

async function findNamesakes({ membership, name, incarnation }: NameClaimOptions): Promise<NodeLease[]> {
  const nodes = await membership.list();
  return nodes.filter(({ record }) => record.name === name && record.incarnation !== incarnation);
}

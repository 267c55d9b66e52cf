/** The question of a client without policies, for the tests of the choice of nodes. */
import type { NodeLease, NodeRecord } from '../../cluster/index.js';
import type { NodeConfig } from '../../config/index.js';
import { chooseNodes, type NodeChoice, type NodeQuestion } from '../../control/node-choice.js';
import { clientProtocols } from '../../control/protocols.js';
import { orderRegions } from '../../control/regions.js';
import { seededRandom } from '../support/seeded-random.js';

export const NO_CONTROL: NodeConfig['control'] = {
  accessPoints: 3,
  regions: {},
  pools: ['default'],
  policies: { file: null },
};

export interface ClientQuestion extends Partial<Omit<NodeQuestion, 'nodes' | 'regions'>> {
  readonly attributes?: Readonly<Record<string, string>>;
  readonly ownRegion?: string;
  readonly addressRegion?: string | undefined;
}

export function choose(nodes: readonly NodeLease[], question: ClientQuestion = {}): NodeChoice {
  const { attributes = {}, ownRegion = 'default', addressRegion, control = NO_CONTROL, ...more } = question;
  return chooseNodes({
    nodes,
    protocols: clientProtocols(attributes),
    regions: orderRegions({ attributes, regions: control.regions, nodes, ownRegion, addressRegion }),
    pools: control.pools,
    poolOf: ({ pool = 'default' }: NodeRecord) => pool,
    control,
    random: seededRandom(1),
    ...more,
  });
}

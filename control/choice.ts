/**
 * What one client gets: which policies match it, and which nodes it is sent to. Both are kept as they were decided, so that
 * an explanation is the decision told and cannot differ from it.
 */
import type { NodeRecord, ServiceContext } from '../cluster/index.js';
import { AddressRegions } from './address-regions.js';
import { chooseNodes, type NodeChoice } from './node-choice.js';
import type { Decision, Policies } from './policies/index.js';
import { clientProtocols } from './protocols.js';
import { orderRegions } from './regions.js';

/** What of the service a choice looks at. */
export type ChoiceContext = Pick<ServiceContext, 'config' | 'current' | 'node'>;

export interface Client {
  /** Undefined when no app in particular is asked about; then it has no device either. */
  readonly app: string | undefined;
  readonly deviceId: string | undefined;
  /** Names of what it is granted. */
  readonly businesses: readonly string[];
  /** What it says of itself. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Where it calls from, as far as proxies are believed; undefined when that is not asked about. */
  readonly address: string | undefined;
}

export interface Choice {
  readonly decision: Decision;
  readonly nodes: NodeChoice;
}

export class Chooser {
  readonly #context: ChoiceContext;
  readonly #policies: Policies;
  readonly #addressRegions: () => AddressRegions;

  constructor(context: ChoiceContext, policies: Policies) {
    this.#context = context;
    this.#policies = policies;
    this.#addressRegions = context.current.derive(({ control }) => new AddressRegions(control.regions));
  }

  poolOf(record: NodeRecord): string {
    return this.#policies.poolOf(record);
  }

  /**
   * The choice for a client, now.
   *
   * @param random from 0 to below 1
   */
  choose({ address, ...client }: Client, random: () => number = Math.random): Choice {
    const { config, node } = this.#context;
    const { control } = config;
    const { attributes } = client;
    const nodes = node.nodes();
    const addressRegion = address === undefined ? undefined : this.#addressRegions().find(address);
    const ownRegion = config.node.region;
    const regions = orderRegions({ attributes, regions: control.regions, nodes, ownRegion, addressRegion });
    const decision = this.#policies.decide({ ...client, region: regions.home });
    const { pools = [], protocols } = decision.settings;
    return {
      decision,
      nodes: chooseNodes({
        nodes,
        protocols: clientProtocols(attributes, protocols),
        regions,
        pools: [...new Set([...pools, ...control.pools])],
        poolOf: (record) => this.#policies.poolOf(record),
        control,
        random,
      }),
    };
  }
}

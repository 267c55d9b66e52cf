/**
 * Leases in Redis: a key each that Redis itself lets lapse, so that no node's clock matters, and beside them what the
 * nodes say of themselves, which stays until somebody takes the node off. One script a renewal says everything.
 */
import type { Membership, MembershipView, NodeLease, NodeRecord } from '../contract/index.js';
import type { Channels } from './channels.js';
import type { Keys } from './keys.js';
import { declareGoneScript, listNodesScript, renewScript, withdrawScript } from './lua/nodes.js';
import type { RedisConnection } from './redis-connection.js';

export class RedisMembership implements Membership {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  /** Incarnations that renewed from here. */
  readonly #own = new Set<string>();
  readonly #listeners: (() => void)[] = [];

  private constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Resolves when it hears of changes. */
  static async open(connection: RedisConnection, channels: Channels, keys: Keys): Promise<RedisMembership> {
    const membership = new RedisMembership(connection, keys);
    await channels.subscribe(keys.nodeChanges(), (from) => {
      if (!membership.#own.has(from.toString())) membership.#changed();
    });
    // What was announced meanwhile has not been heard.
    connection.onReady(() => membership.#changed());
    return membership;
  }

  async renew(record: NodeRecord, leaseMs: number, hasHeard = false): Promise<MembershipView> {
    const { incarnation } = record;
    this.#own.add(incarnation);
    const args = [this.#keys.lease(''), incarnation, JSON.stringify(record), leaseMs, hasHeard ? 1 : 0];
    const reply = await this.#connection.run(renewScript, this.#keysOf(incarnation), args);
    const [own, nodes] = reply as [Buffer, NodesReply];
    return { own: own.toString() as MembershipView['own'], nodes: readNodes(nodes) };
  }

  async list(): Promise<readonly NodeLease[]> {
    const reply = await this.#connection.run(listNodesScript, [this.#keys.nodes()], [this.#keys.lease('')]);
    return readNodes(reply as NodesReply);
  }

  async withdraw(incarnation: string): Promise<void> {
    const isOwn = this.#own.has(incarnation) ? 1 : 0;
    await this.#connection.run(withdrawScript, this.#keysOf(incarnation), [incarnation, isOwn]);
  }

  async declareGone(incarnation: string, retryMs: number): Promise<number | undefined> {
    const keys = [this.#keys.nodes(), this.#keys.lease(incarnation), this.#keys.gone(incarnation)];
    const fence = await this.#connection.run(declareGoneScript, keys, [incarnation, retryMs]);
    return fence === null ? undefined : Number(fence);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async announceChange(): Promise<void> {
    // Whoever is told looks for itself; the name is there only so that nobody is told of its own changes.
    const [own = ''] = this.#own;
    await this.#connection.call('spublish', this.#keys.nodeChanges(), own);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #keysOf(incarnation: string): string[] {
    const keys = this.#keys;
    return [keys.nodes(), keys.nodeChanges(), keys.lease(incarnation), keys.gone(incarnation)];
  }
}

/** Record and milliseconds left, in turn. */
type NodesReply = readonly (Buffer | number)[];

function readNodes(reply: NodesReply): NodeLease[] {
  const nodes: NodeLease[] = [];
  for (let i = 0; i + 1 < reply.length; i += 2) {
    nodes.push({ record: JSON.parse(String(reply[i])) as NodeRecord, leftMs: Number(reply[i + 1]) });
  }
  return nodes;
}

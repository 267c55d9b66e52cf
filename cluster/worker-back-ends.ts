/**
 * The back-ends of one access worker, an actor each. When a reload changes one, requests under way end at the old
 * client and new ones go to the new; an upstream that stays as it is keeps its connections and its breaker.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type ActorRef,
  type BackEnd,
  type ParentRef,
  UpstreamActor,
  type UpstreamCall,
  type UpstreamReply,
} from '../actors/index.js';
import type { NodeConfig, UpstreamConfig } from '../config/index.js';
import { createBackEndClient, type Outcome } from '../upstream/index.js';

interface Entry {
  readonly upstream: UpstreamConfig;
  readonly actor: ActorRef;
}

export interface WorkerBackEndsOptions {
  readonly parent: ParentRef;
  /** How many workers share a business's limits. */
  readonly workers: number;
  readonly onOutcome: (business: string, outcome: Outcome) => void;
  /** An old client failed to end. */
  readonly onError: (error: unknown) => void;
}

export class WorkerBackEnds {
  /** By business id, for the sessions. */
  readonly byBusiness = new Map<number, Pick<BackEnd, 'request'>>();
  readonly #options: WorkerBackEndsOptions;
  readonly #entries = new Map<number, Entry>();

  constructor(options: WorkerBackEndsOptions) {
    this.#options = options;
  }

  async configure({ businesses }: Pick<NodeConfig, 'businesses'>): Promise<void> {
    const gone = new Set(this.#entries.keys());
    for (const [name, { id, upstream }] of Object.entries(businesses)) {
      if (upstream === undefined) continue;
      gone.delete(id);
      const before = this.#entries.get(id);
      if (isDeepStrictEqual(before?.upstream, upstream)) continue;
      this.#use(id, { upstream, actor: await this.#createActor(name, upstream) });
      this.#end(before);
    }
    for (const id of gone) {
      this.byBusiness.delete(id);
      this.#end(this.#entries.get(id));
      this.#entries.delete(id);
    }
  }

  #use(id: number, entry: Entry): void {
    this.#entries.set(id, entry);
    const { actor } = entry;
    this.byBusiness.set(id, {
      request: (call: UpstreamCall) => actor.sendAndReceive('request', call) as Promise<UpstreamReply>,
    });
  }

  #createActor(name: string, upstream: UpstreamConfig): Promise<ActorRef> {
    const { parent, workers, onOutcome } = this.#options;
    const client = createBackEndClient({
      ...upstream,
      business: name,
      concurrency: Math.ceil(upstream.concurrency / workers),
      maxQueue: Math.ceil(upstream.maxQueue / workers),
      onOutcome: (outcome) => onOutcome(name, outcome),
    });
    return parent.createChild(new UpstreamActor(client), { mode: 'in-memory', name: `UpstreamActor-${name}` });
  }

  /** Its end waits for the requests under way. */
  #end(entry: Entry | undefined): void {
    entry?.actor.destroy().catch(this.#options.onError);
  }
}

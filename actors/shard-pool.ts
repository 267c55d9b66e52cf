/** Spreads a family of actors over shards, one more whenever all are full. */
import type { ActorRef, ParentRef } from './actor-ref.js';
import ShardActor from './shard-actor.js';

/** comedy copies the siblings at every birth and death: 33 µs at 1,000 of them. */
export const SHARD_CAPACITY = 250;

interface Shard {
  readonly actor: Promise<ActorRef>;
  children: number;
}

/** A child's place: its actor, and the way out. */
export interface Adopted {
  release(): void;
}

export class ShardPool {
  readonly #parent: ParentRef;
  readonly #name: string;
  readonly #onError: (error: unknown) => void;
  readonly #shards: Shard[] = [];
  /** The shard that took the last child; most likely it has room. */
  #current: Shard | undefined;

  constructor(parent: ParentRef, name: string, onError: (error: unknown) => void) {
    this.#parent = parent;
    this.#name = name;
    this.#onError = onError;
  }

  /** @param definition the finished actor object */
  async adopt(definition: object): Promise<Adopted> {
    const shard = this.#shardWithRoom();
    shard.children += 1;
    try {
      const shardActor = await shard.actor;
      const child = (await shardActor.sendAndReceive('adopt', { definition })) as ActorRef;
      return {
        release: () => {
          shard.children -= 1;
          child.destroy().catch(this.#onError);
        },
      };
    } catch (error) {
      shard.children -= 1;
      throw error;
    }
  }

  #shardWithRoom(): Shard {
    if (this.#current !== undefined && this.#current.children < SHARD_CAPACITY) return this.#current;
    this.#current = this.#shards.find((shard) => shard.children < SHARD_CAPACITY) ?? this.#addShard();
    return this.#current;
  }

  #addShard(): Shard {
    const name = `${this.#name}-${this.#shards.length}`;
    const shard = { actor: this.#parent.createChild(ShardActor, { mode: 'in-memory', name }), children: 0 };
    this.#shards.push(shard);
    return shard;
  }
}

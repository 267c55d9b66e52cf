/**
 * Parent of a few hundred connection or group actors: comedy copies the list of siblings whenever one
 * ends, so a flat family of a hundred thousand would spend its time copying.
 */
import type { ActorRef, ParentRef } from './actor-ref.js';

export default class ShardActor {
  #self: ParentRef | undefined;

  initialize(self: ParentRef): void {
    this.#self = self;
  }

  /** @param definition the finished actor object */
  adopt({ definition }: { definition: object }): Promise<ActorRef> {
    if (this.#self === undefined) throw new Error('shard is not initialized');
    return this.#self.createChild(definition, { mode: 'in-memory' });
  }
}

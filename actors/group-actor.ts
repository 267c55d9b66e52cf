/** The actor of one multicast group on one worker: the group's place in the tree. */
import type { Group } from './group.js';

export default class GroupActor {
  readonly #group: Group;

  constructor(group: Group) {
    this.#group = group;
  }

  dissolve(): void {
    this.#group.dissolve();
  }

  metrics(): { members: number } {
    return { members: this.#group.size };
  }
}

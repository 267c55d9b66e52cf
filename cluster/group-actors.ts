/** Gives each group of an access worker its actor, under a shard. */
import { type Adopted, type Group, GroupActor, type GroupActors, type ShardPool } from '../actors/index.js';

/** A group may end before its actor has begun, so its place is kept as a promise. */
export function createGroupActors(shards: ShardPool, onError: (error: unknown) => void): GroupActors {
  const places = new WeakMap<Group, Promise<Adopted>>();
  return {
    adopt: (group) => {
      const place = shards.adopt(new GroupActor(group));
      place.catch(onError);
      places.set(group, place);
    },
    release: (group) => {
      places.get(group)?.then((adopted) => adopted.release(), onError);
    },
  };
}

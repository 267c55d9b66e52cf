/**
 * Names of keys and channels. What stands in braces decides the slot. Routes and users lie in a fixed number of buckets
 * for each app, small enough that Redis keeps a bucket as one packed list; a bucket is a slot's worth of work, so a
 * Cluster of any size shares them evenly.
 *
 * @see docs/architecture.md, "Many nodes"
 */
import { slotOf } from './slot.js';

/** 31 routes a bucket at a million; Redis packs up to 128 by default. Never to be changed: keys depend on it. */
export const BUCKETS = 32_768;

/** A bucket as keys name it: four hexadecimal digits, which scripts cut out of what they are given. */
const TAGS = Array.from({ length: BUCKETS }, (_, bucket) => bucket.toString(16).padStart(4, '0'));

const ROUTE_SLOTS = Uint16Array.from(TAGS, (tag) => slotOf(`{r${tag}}`));

export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** What stands before the tag of a bucket in a key of routes. */
  get routeStem(): string {
    return `${this.#prefix}:{r`;
  }

  /** Hash: device id -> packed route, and of no name the bucket's last fence. */
  routes(app: string, bucket: number): string {
    return `${this.#prefix}:{r${TAGS[bucket]}}:${app}`;
  }

  /** Hash: user id -> packed device ids. */
  users(app: string, uid: string): string {
    return `${this.#prefix}:{u${TAGS[bucketOf(uid)]}}:${app}`;
  }

  /** Set: apps that have had a route. */
  apps(): string {
    return `${this.#prefix}:{apps}`;
  }

  /**
   * Hash: a group's record; and the name of its channel. Up to the first closing brace, which the group's name may
   * contain, it decides the slot, for the sizes alike.
   */
  group(businessId: number, group: string): string {
    return `${this.#prefix}:{g${businessId}:${group}}`;
  }

  /** Hash: incarnation -> members there. */
  groupSizes(businessId: number, group: string): string {
    return `${this.group(businessId, group)}:n`;
  }

  /** Sorted set: names of a business's groups, all of one score and so by name. */
  groupNames(businessId: number): string {
    return `${this.#prefix}:{l${businessId}}`;
  }

  /** A node's channel. */
  node(incarnation: string): string {
    return `${this.#prefix}:{n${incarnation}}`;
  }

  /** Hash: name -> what operators set for the whole service. */
  control(): string {
    return `${this.#prefix}:{control}:texts`;
  }

  /** The channel on which changes of it are announced. */
  controlChanges(): string {
    return `${this.#prefix}:{control}:changes`;
  }

  /** Hash: incarnation -> what the node says of itself; its lease and its mark lie in the same slot. */
  nodes(): string {
    return `${this.#prefix}:{nodes}:records`;
  }

  /** The channel on which changes among the nodes are announced. */
  nodeChanges(): string {
    return `${this.#prefix}:{nodes}:changes`;
  }

  /** String that is there while the lease stands. */
  lease(incarnation: string): string {
    return `${this.#prefix}:{nodes}:lease:${incarnation}`;
  }

  /** String that is there while a node that was declared gone is being swept; `swept` until it has been told so. */
  gone(incarnation: string): string {
    return `${this.#prefix}:{nodes}:gone:${incarnation}`;
  }

  /** Hash: key of a record -> order, end, value. */
  credentials(): string {
    return `${this.#prefix}:{credentials}:records`;
  }

  /** Sorted set: keys of records by the version they came with. */
  credentialVersions(): string {
    return `${this.#prefix}:{credentials}:versions`;
  }

  /** Sorted set: keys of records by their end, of those that have one. */
  credentialEnds(): string {
    return `${this.#prefix}:{credentials}:ends`;
  }

  /** Hash: `epoch` of the records and their latest `version`. */
  credentialState(): string {
    return `${this.#prefix}:{credentials}:state`;
  }

  /** The channel on which changes of the records are announced. */
  credentialChanges(): string {
    return `${this.#prefix}:{credentials}:changes`;
  }

  /** String: how far a node has read; it lapses. */
  credentialsConfirmed(incarnation: string): string {
    return `${this.#prefix}:{credentials}:confirmed:${incarnation}`;
  }
}

export function tagOf(bucket: number): string {
  return TAGS[bucket] as string;
}

/** The slot of a bucket's routes, whatever the app. */
export function routeSlotOf(bucket: number): number {
  return ROUTE_SLOTS[bucket] as number;
}

/** FNV-1a over UTF-16 units, its bits mixed, since ids often differ in their last characters only. */
export function bucketOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1);
}

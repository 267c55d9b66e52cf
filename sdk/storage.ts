/**
 * Where a client keeps who it is, and what it learnt of networks. The control layer mints a device id and a secret for a
 * device that proved no identity; without keeping them, every start would be a new device.
 */

export interface DeviceIdentity {
  readonly deviceId: string;
  /** Proves the id at later bootstraps. */
  readonly deviceSecret?: string | undefined;
}

export interface IdentityStorage {
  get(): DeviceIdentity | undefined | Promise<DeviceIdentity | undefined>;
  /** `undefined` forgets it. */
  set(identity: DeviceIdentity | undefined): void | Promise<void>;
}

/** Lives as long as the object. */
export function memoryStorage(identity?: DeviceIdentity): IdentityStorage {
  let kept = identity;
  return {
    get: () => kept,
    set(next) {
      kept = next;
    },
  };
}

/** The part of the standard `Storage` that is used. */
export interface WebStorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** A standard storage that lives as long as the object. */
export function webMemory(): WebStorageLike {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

/** The network that was written the longest time ago is forgotten first. */
const MAX_NETWORKS = 16;

/** What is known of networks, by name. What is unreadable in the storage counts as nothing. */
export class StoredMap<T> {
  readonly #storage: WebStorageLike;
  readonly #key: string;

  constructor(storage: WebStorageLike, key: string) {
    this.#storage = storage;
    this.#key = key;
  }

  get(network: string): T | undefined {
    return this.#read().get(network) ?? undefined;
  }

  /** @param value undefined forgets it */
  set(network: string, value: T | undefined): void {
    const networks = this.#read();
    if (networks.get(network) === value) return;
    networks.delete(network);
    if (value !== undefined) networks.set(network, value);
    try {
      this.#storage.setItem(this.#key, JSON.stringify([...networks].slice(-MAX_NETWORKS)));
    } catch {
      // A full or forbidden storage: the next start knows less.
    }
  }

  #read(): Map<string, T> {
    try {
      return new Map(JSON.parse(this.#storage.getItem(this.#key) ?? '[]') as [string, T][]);
    } catch {
      return new Map();
    }
  }
}

/**
 * Keeps the identity in `sessionStorage` (a device per tab) or `localStorage` (a device per browser profile; two
 * tabs then replace each other). What is unreadable there counts as nothing.
 */
export function webStorage(storage: WebStorageLike, key = 'trunkline.device'): IdentityStorage {
  return {
    get: () => parseIdentity(storage.getItem(key)),
    set(identity) {
      if (identity === undefined) storage.removeItem(key);
      else storage.setItem(key, JSON.stringify(identity));
    },
  };
}

function parseIdentity(text: string | null): DeviceIdentity | undefined {
  try {
    const { deviceId, deviceSecret } = JSON.parse(text ?? '{}') as Record<string, unknown>;
    if (typeof deviceId !== 'string') return undefined;
    return { deviceId, deviceSecret: typeof deviceSecret === 'string' ? deviceSecret : undefined };
  } catch {
    return undefined;
  }
}

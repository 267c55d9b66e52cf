/**
 * Where a client keeps who it is, and what it learnt of networks. The control layer mints a device id and a secret for a device that proved no
 * identity; without keeping them, every start would be a new device.
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

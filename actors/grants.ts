/**
 * The businesses a connection may use. Most devices of an app hold the same grants, so the maps are shared:
 * one per combination of names, not one per connection.
 */
import type { Business } from './business.js';

/** By business id. */
export type Grants = ReadonlyMap<number, Business>;

export class GrantTable {
  readonly #byName: ReadonlyMap<string, Business>;
  readonly #shared = new Map<string, Grants>();

  constructor(businesses: Iterable<Business>) {
    this.#byName = new Map([...businesses].map((business) => [business.name, business]));
  }

  /** @param names as the token lists them; unknown ones grant nothing */
  of(names: readonly string[]): Grants {
    const key = JSON.stringify(names);
    let grants = this.#shared.get(key);
    if (grants === undefined) {
      const granted = names.map((name) => this.#byName.get(name)).filter((business) => business !== undefined);
      grants = new Map(granted.map((business) => [business.id, business]));
      this.#shared.set(key, grants);
    }
    return grants;
  }
}

/** @returns a map of its own, without one business */
export function withoutBusiness(grants: Grants, businessId: number): Grants {
  return new Map([...grants].filter(([id]) => id !== businessId));
}

/**
 * The businesses a connection may use. Most devices of an app hold the same grants, so the maps are shared:
 * one per combination of names, not one per connection.
 */
import type { Business } from './business.js';

/** By business id. */
export type Grants = ReadonlyMap<number, Business>;

export class GrantTable {
  #byName: ReadonlyMap<string, Business> = new Map();
  readonly #shared = new Map<string, Grants>();

  constructor(businesses: Iterable<Business>) {
    this.reset(businesses);
  }

  /** Other businesses, or the same ones serving other apps; maps that were handed out stay as they are. */
  reset(businesses: Iterable<Business>): void {
    this.#byName = new Map([...businesses].map((business) => [business.name, business]));
    this.#shared.clear();
  }

  /** @param names as the token lists them; unknown ones, and those that do not serve the app, grant nothing */
  of(app: string, names: readonly string[]): Grants {
    const key = JSON.stringify([app, names]);
    let grants = this.#shared.get(key);
    if (grants === undefined) {
      const granted = names.map((name) => this.#byName.get(name)).filter((business) => business?.apps.has(app));
      grants = new Map(granted.filter((business) => business !== undefined).map((business) => [business.id, business]));
      this.#shared.set(key, grants);
    }
    return grants;
  }
}

/** @returns a map of its own, without one business */
export function withoutBusiness(grants: Grants, businessId: number): Grants {
  return new Map([...grants].filter(([id]) => id !== businessId));
}

/**
 * Who calls: a business with its key, or an app's back-end with the app's. A business reaches the devices of the apps
 * it serves and nothing else; an app's key reaches that app. All of it is asked of the configuration in force.
 */
import type { CurrentConfig, NodeConfig } from '../config/index.js';
import { createKeyring, type Keyring, liveKeyring, ProblemError } from '../http/index.js';
import { AppNotServedError } from './errors.js';

/** One business as the routes need it. */
export interface Business {
  readonly name: string;
  readonly id: number;
  readonly apps: ReadonlySet<string>;
}

/** The one subject of the admin keys. */
export const ADMIN = 'admin';

export class Callers {
  readonly businessKeys: Keyring;
  readonly appKeys: Keyring;
  readonly adminKeys: Keyring;
  readonly #apps: () => ReadonlySet<string>;
  readonly #businesses: () => ReadonlyMap<string, Business>;

  /** @throws {SharedKeyError} two businesses, or two apps, have a key in common */
  constructor(current: CurrentConfig) {
    this.#apps = current.derive(({ apps }) => new Set(Object.keys(apps)));
    this.#businesses = current.derive(businessesOf);
    this.businessKeys = keyringOf(current, ({ businesses }) => businesses);
    this.appKeys = keyringOf(current, ({ apps }) => apps);
    this.adminKeys = keyringOf(current, (config) => ({ [ADMIN]: { keys: config.private.adminKeys } }));
  }

  /** @param subject what `businessKeys` found */
  business(subject: string): Business {
    const business = this.#businesses().get(subject);
    if (business !== undefined) return business;
    // A reload took it away after its key was looked at.
    throw new ProblemError(401, 'TRK_UNAUTHENTICATED', 'the key is not one of this node any more');
  }

  /** @throws {AppNotServedError} the business does not serve the app */
  businessFor(subject: string, app: string): Business {
    const business = this.business(subject);
    if (!business.apps.has(app)) throw new AppNotServedError(`business ${business.name}`, app);
    return business;
  }

  /** Of the ids that still are businesses. */
  businessNames(ids: readonly number[]): string[] {
    const wanted = new Set(ids);
    return [...this.#businesses().values()].filter(({ id }) => wanted.has(id)).map(({ name }) => name);
  }

  hasApp(name: string): boolean {
    return this.#apps().has(name);
  }

  /** By its name, for the operator. */
  findBusiness(name: string): Business | undefined {
    return this.#businesses().get(name);
  }
}

function businessesOf({ businesses }: NodeConfig): ReadonlyMap<string, Business> {
  return new Map(Object.entries(businesses).map(([name, { id, apps }]) => [name, { name, id, apps: new Set(apps) }]));
}

type KeyHolders = Readonly<Record<string, { readonly keys: readonly string[] }>>;

function keyringOf(current: CurrentConfig, holders: (config: NodeConfig) => KeyHolders): Keyring {
  const keyring = current.derive((config) =>
    createKeyring(new Map(Object.entries(holders(config)).map(([name, { keys }]) => [name, keys]))),
  );
  // Fails here and not at the first request.
  keyring();
  return liveKeyring(keyring);
}

/**
 * Who calls: a business with its key, or an app's back-end with the app's. A business reaches the devices of the apps
 * it serves and nothing else; an app's key reaches that app.
 */
import type { NodeConfig } from '../config/index.js';
import { createKeyring, type Keyring } from '../http/index.js';
import { AppNotServedError } from './errors.js';

/** One business as the routes need it. */
export interface Business {
  readonly name: string;
  readonly id: number;
  readonly apps: ReadonlySet<string>;
}

export class Callers {
  readonly businessKeys: Keyring;
  readonly appKeys: Keyring;
  readonly #businesses: ReadonlyMap<string, Business>;

  /** @throws {SharedKeyError} two businesses, or two apps, have a key in common */
  constructor(config: Pick<NodeConfig, 'apps' | 'businesses'>) {
    const businesses = Object.entries(config.businesses);
    this.#businesses = new Map(businesses.map(([name, { id, apps }]) => [name, { name, id, apps: new Set(apps) }]));
    this.businessKeys = createKeyring(new Map(businesses.map(([name, { keys }]) => [name, keys])));
    this.appKeys = createKeyring(new Map(Object.entries(config.apps).map(([name, { keys }]) => [name, keys])));
  }

  /** @param subject what `businessKeys` found */
  business(subject: string): Business {
    const business = this.#businesses.get(subject);
    if (business === undefined) throw new Error(`${subject} is no business`);
    return business;
  }

  /** @throws {AppNotServedError} the business does not serve the app */
  businessFor(subject: string, app: string): Business {
    const business = this.business(subject);
    if (!business.apps.has(app)) throw new AppNotServedError(`business ${business.name}`, app);
    return business;
  }
}

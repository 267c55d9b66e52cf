/**
 * Apps and the businesses that serve them, as the control layer asks for them. Built once from the configuration;
 * look-ups go through Maps, because a stranger chooses the names.
 */
import type { AppConfig, NodeConfig } from '../config/index.js';

const ANY_ORIGIN = '*';

/** One app with what may be granted to its devices. */
export interface AppEntry {
  readonly name: string;
  readonly config: AppConfig;
  /** Names of all businesses that serve it, in the order of the configuration. */
  readonly businesses: readonly string[];
  /** Those of them that a device gets without any proof. */
  readonly publicBusinesses: readonly string[];
  allowsOrigin(origin: string): boolean;
}

export class AppDirectory {
  readonly #apps: ReadonlyMap<string, AppEntry>;

  constructor(config: Pick<NodeConfig, 'apps' | 'businesses'>) {
    this.#apps = new Map(Object.entries(config.apps).map(([name, app]) => [name, entry(name, app, config.businesses)]));
  }

  find(name: string): AppEntry | undefined {
    return this.#apps.get(name);
  }

  /** Each app's keys, for the ring of those who may ask for tokens. */
  keys(): ReadonlyMap<string, readonly string[]> {
    return new Map([...this.#apps].map(([name, app]) => [name, app.config.keys]));
  }

  /** A preflight names no app, so any app that lists the origin lets it pass. */
  someAppAllowsOrigin(origin: string): boolean {
    return [...this.#apps.values()].some((app) => app.allowsOrigin(origin));
  }
}

function entry(name: string, config: AppConfig, businesses: NodeConfig['businesses']): AppEntry {
  const serving = Object.entries(businesses).filter(([, business]) => business.apps.includes(name));
  const origins = new Set(config.origins);
  return {
    name,
    config,
    businesses: serving.map(([business]) => business),
    publicBusinesses: serving.filter(([, business]) => business.public).map(([business]) => business),
    allowsOrigin: (origin) => origins.has(ANY_ORIGIN) || origins.has(origin),
  };
}

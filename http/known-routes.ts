/**
 * Which methods a path takes, to tell "no such path" (404) from "not with this method" (405 with Allow). Fastify
 * answers 404 for both; this list is looked at only then.
 */
import type { FastifyInstance } from 'fastify';

export class KnownRoutes {
  readonly #methods = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  /** Learns every route that `app` and the plugins below it register from here on. */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      const known = this.#methods.get(url) ?? { pattern: toPattern(url), methods: new Set() };
      for (const each of Array.isArray(method) ? method : [method]) known.methods.add(each);
      this.#methods.set(url, known);
    });
  }

  /** @param url of a request, with or without a query. @returns methods, sorted; empty for an unknown path */
  allowed(url: string): string[] {
    const [path = ''] = url.split('?', 1);
    const methods = new Set<string>();
    for (const known of this.#methods.values()) {
      if (known.pattern.test(path)) for (const method of known.methods) methods.add(method);
    }
    return [...methods].sort();
  }
}

/** `/v1/apps/:app/push` as an expression in which a parameter is one segment and `*` is the rest. */
function toPattern(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('/');
  return new RegExp(`^${source}$`);
}

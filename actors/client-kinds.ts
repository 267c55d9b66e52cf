/**
 * What clients say of themselves, in so few different values that metrics can be told apart by them. Connections of
 * a kind share one object, so knowing it costs a connection nothing but the reference.
 *
 * The bound is on pairs, because the metrics multiply: once it is reached, new ones are of the kind `other` until
 * the worker starts anew. Clients are believed; a device that lies spoils a metric and nothing else.
 */
import type { StringMap } from '../protocol/index.js';

export const MAX_CLIENT_KINDS = 50;

/** A word that is fit for a label: short, and without what would need escaping. */
const LABEL = /^[\w.+-]{1,32}$/;

export interface ClientKind {
  readonly region: string;
  readonly appVersion: string;
}

const OTHER: ClientKind = { region: 'other', appVersion: 'other' };

export class ClientKinds {
  readonly #kinds = new Map<string, ClientKind>();

  /** @param attributes of CONNECT; what is absent, or not a word, is `unknown` */
  of(attributes: StringMap): ClientKind {
    const region = word(attributes['region']);
    const appVersion = word(attributes['app-version']);
    const key = `${region} ${appVersion}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    if (this.#kinds.size === MAX_CLIENT_KINDS) return OTHER;
    const kind = { region, appVersion };
    this.#kinds.set(key, kind);
    return kind;
  }
}

function word(text: string | undefined): string {
  return text !== undefined && LABEL.test(text) ? text : 'unknown';
}

/**
 * Public keys that nodes sign with, each for as long as its node says. This node's own are among them: another may sign
 * with a copy of one that this node has given up.
 */
import type { PublicJwk } from '../tokens/index.js';
import type { SharedKey } from './credential-records.js';

export class OtherKeys {
  readonly #keys = new Map<string, SharedKey>();
  #published = '';

  note(key: SharedKey): void {
    this.#keys.set(`${key.node}\0${key.jwk.kid}`, key);
  }

  /** Those that count at `nowMs`, each `kid` once; `undefined` when they are the same as last time. */
  changed(nowMs: number): readonly PublicJwk[] | undefined {
    const byKid = new Map<string, PublicJwk>();
    for (const [name, { jwk, untilMs }] of this.#keys) {
      if (untilMs <= nowMs) this.#keys.delete(name);
      else byKid.set(jwk.kid, jwk);
    }
    const jwks = [...byKid.values()].sort((a, b) => (a.kid < b.kid ? -1 : 1));
    const published = JSON.stringify(jwks);
    if (published === this.#published) return undefined;
    this.#published = published;
    return jwks;
  }

  /** What `changed` returned last did not reach everybody: it is returned again. */
  forgetPublished(): void {
    this.#published = '';
  }
}

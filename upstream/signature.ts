/**
 * HMAC-SHA-256 of a canonical text and SHA-256 of a body, as the webhook carries them. The key is prepared once per
 * business: handing the secret to every `createHmac` again costs a copy and a hash per request.
 *
 * @see protocol/webhook.ts for the text
 */
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

export class Signer {
  readonly #key: KeyObject;

  constructor(secret: string) {
    this.#key = createSecretKey(secret, 'utf8');
  }

  /** @returns the value of `trunkline-signature` */
  sign(canonicalText: string): string {
    return `v1=${createHmac('sha256', this.#key).update(canonicalText).digest('hex')}`;
  }
}

/** @returns 64 lower-case hex digits */
export function bodyDigest(body: Uint8Array): string {
  return hash('sha256', body, 'hex');
}

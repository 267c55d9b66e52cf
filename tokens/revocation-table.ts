/**
 * What was taken back, in the form in which every verification asks: three look-ups at most, none while there is
 * nothing. The same rules are kept in a file by the main thread and handed to the access workers as plain data.
 *
 * A rule about tokens ends when the longest-lived of them has expired; one about an identity stands until it is lifted.
 *
 * @see docs/control.md, "Revocation"
 */
import type { DeviceClaims } from './claims.js';

/**
 * - `token`     one token
 * - `device`    the tokens of one device that were issued at `beforeMs` or earlier
 * - `app`       the tokens of all devices of an app that were issued at `beforeMs` or earlier
 * - `identity`  every token of one device, also those to come
 */
export type Revocation =
  | { readonly kind: 'token'; readonly app: string; readonly jti: string; readonly untilMs: number }
  | {
      readonly kind: 'device';
      readonly app: string;
      readonly deviceId: string;
      readonly beforeMs: number;
      readonly untilMs: number;
    }
  | { readonly kind: 'app'; readonly app: string; readonly beforeMs: number; readonly untilMs: number }
  | { readonly kind: 'identity'; readonly app: string; readonly deviceId: string };

/** Ends an `identity` rule. */
export interface RevocationLift {
  readonly kind: 'lift';
  readonly app: string;
  readonly deviceId: string;
}

export type RevocationChange = Revocation | RevocationLift;

/** What of a token counts here. */
export type RevocableClaims = Pick<DeviceClaims, 'app' | 'deviceId' | 'jti' | 'issuedAtMs'>;

interface Cut {
  readonly beforeMs: number;
  readonly untilMs: number;
}

export class RevocationTable {
  /** Until when, by token. */
  readonly #tokens = new Map<string, number>();
  readonly #devices = new Map<string, Cut>();
  readonly #apps = new Map<string, Cut>();
  readonly #identities = new Set<string>();

  constructor(rules: Iterable<RevocationChange> = []) {
    for (const rule of rules) this.apply(rule);
  }

  get size(): number {
    return this.#tokens.size + this.#devices.size + this.#apps.size + this.#identities.size;
  }

  apply(change: RevocationChange): void {
    switch (change.kind) {
      case 'token':
        this.#tokens.set(keyOf(change.app, change.jti), change.untilMs);
        return;
      case 'device':
        return cut(this.#devices, keyOf(change.app, change.deviceId), change);
      case 'app':
        return cut(this.#apps, change.app, change);
      case 'identity':
        this.#identities.add(keyOf(change.app, change.deviceId));
        return;
      case 'lift':
        this.#identities.delete(keyOf(change.app, change.deviceId));
    }
  }

  isRevoked({ app, deviceId, jti, issuedAtMs }: RevocableClaims): boolean {
    if (this.size === 0) return false;
    if (issuedAtMs <= (this.#apps.get(app)?.beforeMs ?? -1)) return true;
    if (this.#devices.size > 0 && issuedAtMs <= (this.#devices.get(keyOf(app, deviceId))?.beforeMs ?? -1)) return true;
    if (this.#identities.size > 0 && this.#identities.has(keyOf(app, deviceId))) return true;
    return this.#tokens.size > 0 && this.#tokens.has(keyOf(app, jti));
  }

  isIdentityRevoked(app: string, deviceId: string): boolean {
    return this.#identities.has(keyOf(app, deviceId));
  }

  /** Forgets rules whose time is over. @returns whether there were any */
  prune(nowMs: number): boolean {
    const before = this.size;
    for (const [key, untilMs] of this.#tokens) if (untilMs <= nowMs) this.#tokens.delete(key);
    for (const cuts of [this.#devices, this.#apps]) {
      for (const [key, { untilMs }] of cuts) if (untilMs <= nowMs) cuts.delete(key);
    }
    return this.size < before;
  }

  rules(): Revocation[] {
    const named = (key: string): [app: string, name: string] => {
      const end = key.indexOf('\0');
      return [key.slice(0, end), key.slice(end + 1)];
    };
    return [
      ...Array.from(this.#apps, ([app, entry]): Revocation => ({ kind: 'app', app, ...entry })),
      ...Array.from(this.#devices, ([key, entry]): Revocation => {
        const [app, deviceId] = named(key);
        return { kind: 'device', app, deviceId, ...entry };
      }),
      ...Array.from(this.#identities, (key): Revocation => {
        const [app, deviceId] = named(key);
        return { kind: 'identity', app, deviceId };
      }),
      ...Array.from(this.#tokens, ([key, untilMs]): Revocation => {
        const [app, jti] = named(key);
        return { kind: 'token', app, jti, untilMs };
      }),
    ];
  }
}

/** The later cut holds: what was taken back stays so. */
function cut(cuts: Map<string, Cut>, key: string, { beforeMs, untilMs }: Cut): void {
  const known = cuts.get(key);
  if (known === undefined || beforeMs > known.beforeMs) cuts.set(key, { beforeMs, untilMs });
}

/** An app's name holds no zero byte. */
function keyOf(app: string, name: string): string {
  return `${app}\0${name}`;
}

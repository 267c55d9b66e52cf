/**
 * What was taken back, in the form in which every verification asks: three look-ups at most, none while there is
 * nothing. The same rules are kept in a file by the main thread and handed to the access workers as plain data.
 *
 * A rule about tokens ends when the longest-lived of them has expired; one about an identity stands until it is lifted.
 * Nodes hear of changes in different orders: the later cut holds, and of an identity what was said last, so that the
 * same changes end in the same table. A lift is therefore remembered, for as long as a node may have been away.
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
  | { readonly kind: 'identity'; readonly app: string; readonly deviceId: string; readonly atMs?: number };

/** How long a lift is remembered. */
export const LIFT_KEPT_MS = 30 * 24 * 3_600_000;

/** Lifts remembered at once; the oldest goes. */
export const MAX_LIFTS = 50_000;

/** Ends an `identity` rule that was made before `atMs`. */
export interface RevocationLift {
  readonly kind: 'lift';
  readonly app: string;
  readonly deviceId: string;
  readonly atMs: number;
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
  /** When it was said, in milliseconds since 1970; 0 when nobody knows. */
  readonly #identities = new Map<string, number>();
  readonly #lifts = new Map<string, number>();

  constructor(rules: Iterable<RevocationChange> = []) {
    for (const rule of rules) this.apply(rule);
  }

  /** Rules in force. */
  get size(): number {
    return this.#tokens.size + this.#devices.size + this.#apps.size + this.#identities.size;
  }

  /** @returns whether it says anything new */
  apply(change: RevocationChange): boolean {
    switch (change.kind) {
      case 'token': {
        const key = keyOf(change.app, change.jti);
        if ((this.#tokens.get(key) ?? 0) >= change.untilMs) return false;
        this.#tokens.set(key, change.untilMs);
        return true;
      }
      case 'device':
        return cut(this.#devices, keyOf(change.app, change.deviceId), change);
      case 'app':
        return cut(this.#apps, change.app, change);
      case 'identity':
        return this.#revokeIdentity(keyOf(change.app, change.deviceId), change.atMs ?? 0);
      case 'lift':
        return this.#lift(keyOf(change.app, change.deviceId), change.atMs);
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

  /** When an identity was last revoked or lifted; `undefined` when it never was. Milliseconds since 1970. */
  identityChangedMs(app: string, deviceId: string): number | undefined {
    const key = keyOf(app, deviceId);
    return this.#identities.get(key) ?? this.#lifts.get(key);
  }

  /** Forgets rules whose time is over. @returns whether there were any */
  prune(nowMs: number): boolean {
    const before = this.size;
    for (const [key, untilMs] of this.#tokens) if (untilMs <= nowMs) this.#tokens.delete(key);
    for (const cuts of [this.#devices, this.#apps]) {
      for (const [key, { untilMs }] of cuts) if (untilMs <= nowMs) cuts.delete(key);
    }
    for (const [key, atMs] of this.#lifts) if (atMs + LIFT_KEPT_MS <= nowMs) this.#lifts.delete(key);
    return this.size < before;
  }

  /** What is in force, and the lifts that are remembered. */
  rules(): RevocationChange[] {
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
      ...Array.from(this.#identities, ([key, atMs]): Revocation => {
        const [app, deviceId] = named(key);
        return { kind: 'identity', app, deviceId, atMs };
      }),
      ...Array.from(this.#lifts, ([key, atMs]): RevocationLift => {
        const [app, deviceId] = named(key);
        return { kind: 'lift', app, deviceId, atMs };
      }),
      ...Array.from(this.#tokens, ([key, untilMs]): Revocation => {
        const [app, jti] = named(key);
        return { kind: 'token', app, jti, untilMs };
      }),
    ];
  }

  /** Of the same moment, what takes back is believed. */
  #revokeIdentity(key: string, atMs: number): boolean {
    if ((this.#identities.get(key) ?? -1) >= atMs || (this.#lifts.get(key) ?? -1) > atMs) return false;
    this.#lifts.delete(key);
    this.#identities.set(key, atMs);
    return true;
  }

  #lift(key: string, atMs: number): boolean {
    if ((this.#lifts.get(key) ?? -1) >= atMs || (this.#identities.get(key) ?? -1) >= atMs) return false;
    this.#identities.delete(key);
    this.#lifts.set(key, atMs);
    if (this.#lifts.size > MAX_LIFTS) this.#lifts.delete(this.#lifts.keys().next().value as string);
    return true;
  }
}

/** The later cut holds: what was taken back stays so. */
function cut(cuts: Map<string, Cut>, key: string, { beforeMs, untilMs }: Cut): boolean {
  const known = cuts.get(key);
  if (known !== undefined && beforeMs <= known.beforeMs) return false;
  cuts.set(key, { beforeMs, untilMs });
  return true;
}

/** An app's name holds no zero byte. */
function keyOf(app: string, name: string): string {
  return `${app}\0${name}`;
}

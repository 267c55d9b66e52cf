/**
 * What was taken back, kept by the main thread: asked for by back-ends and operators, in force at every access worker at
 * once, on the disk before the caller hears that it is done.
 *
 * @see docs/control.md, "Revocation"; docs/decisions/0032-revocation.md
 */
import { TrunklineError } from '../protocol/index.js';
import { type RevocationChange, RevocationTable } from '../tokens/index.js';
import { RevocationsFile } from './revocations-file.js';

/** Rules at once; about 10 MiB of file and as much memory in each thread. */
export const MAX_REVOCATIONS = 50_000;

/** What another clock that issued a token may be ahead. */
const CLOCK_TOLERANCE_MS = 10_000;

/**
 * - `token`     one token, by its id
 * - `device`    what one device was issued up to `beforeMs`, now by default and at the latest
 * - `identity`  the device itself: no token of it counts and it gets no new one, until that is lifted
 * - `app`       what all devices of the app were issued up to `beforeMs`, now by default and at the latest
 */
export type RevocationRequest =
  | { readonly kind: 'token'; readonly app: string; readonly jti: string }
  | {
      readonly kind: 'device';
      readonly app: string;
      readonly deviceId: string;
      readonly beforeMs?: number | undefined;
    }
  | { readonly kind: 'identity'; readonly app: string; readonly deviceId: string }
  | { readonly kind: 'app'; readonly app: string; readonly beforeMs?: number | undefined };

export interface RevocationResult {
  /** Live connections of this node that are being closed for it. */
  readonly closed: number;
  /** When the rule may be forgotten, because no such token can be left; absent for an identity. */
  readonly untilMs?: number;
}

/** The change is in force at the node that was asked, and on its disk; the engine was away, so other nodes hear later. */
export class RevocationNotSpreadError extends TrunklineError {
  readonly code = 'TRK_REVOCATION_NOT_SPREAD';
  override readonly retryable = true;
  constructor(options: ErrorOptions) {
    super(
      'it is in force at this node only, because Redis is away: the other nodes are told as soon as it is back; ' +
        'asking again does no harm',
      options,
    );
  }
}

/** As many rules as a node keeps; those about tokens end by themselves. */
export class TooManyRevocationsError extends TrunklineError {
  readonly code = 'TRK_TOO_MANY_REVOCATIONS';
  constructor(readonly limit: number) {
    super(`${limit} revocations are in force and no more fit: revoke the app up to now, or lift identities`);
  }
}

export interface RevocationsOptions {
  readonly dataDir: string;
  /** The longest life that a token has. */
  readonly longestLifeMs: () => number;
  /** Brings changes to every access worker. @returns connections closed */
  readonly distribute: (changes: readonly RevocationChange[]) => Promise<number>;
  /**
   * Brings changes that were asked for here to the other nodes; nothing to do by default.
   *
   * @throws {RevocationNotSpreadError} they are told later
   */
  readonly spread?: (changes: readonly RevocationChange[]) => Promise<void>;
  /** Default 50,000. What other nodes tell is taken beyond it. */
  readonly maxRules?: number;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
}

export class Revocations {
  readonly #options: RevocationsOptions;
  readonly #table: RevocationTable;
  readonly #file: RevocationsFile;
  readonly #now: () => number;

  private constructor(options: RevocationsOptions, table: RevocationTable, file: RevocationsFile) {
    this.#options = options;
    this.#table = table;
    this.#file = file;
    this.#now = options.now ?? Date.now;
  }

  /** @throws {InvalidRevocationsError} @throws {SecretExposedError} */
  static async open(options: RevocationsOptions): Promise<Revocations> {
    const file = new RevocationsFile(options.dataDir);
    const table = new RevocationTable(await file.read());
    table.prune((options.now ?? Date.now)());
    return new Revocations(options, table, file);
  }

  get size(): number {
    return this.#table.size;
  }

  /** In force now, for a worker that starts. */
  rules(): readonly RevocationChange[] {
    return this.#table.rules();
  }

  /** Whether this device gets no token. */
  isIdentityRevoked(app: string, deviceId: string): boolean {
    return this.#table.isIdentityRevoked(app, deviceId);
  }

  /**
   * In force at this node, on its disk and told to the others when it resolves.
   *
   * @throws {TooManyRevocationsError}
   * @throws {RevocationNotSpreadError} in force here alone; the others are told later
   */
  async revoke(request: RevocationRequest): Promise<RevocationResult> {
    const nowMs = this.#now();
    this.#table.prune(nowMs);
    const { maxRules = MAX_REVOCATIONS } = this.#options;
    // An app has one rule however often it is revoked, and it is the way out.
    if (request.kind !== 'app' && this.#table.size >= maxRules) throw new TooManyRevocationsError(maxRules);
    const { changes, untilMs } = this.#changesFor(request, nowMs);
    const closed = await this.#ask(changes);
    return untilMs === undefined ? { closed } : { closed, untilMs };
  }

  /**
   * The device may have tokens again; those it had before stay revoked.
   *
   * @returns whether its identity was revoked
   * @throws {RevocationNotSpreadError} lifted here alone; the others are told later
   */
  async lift(app: string, deviceId: string): Promise<boolean> {
    if (!this.#table.isIdentityRevoked(app, deviceId)) return false;
    await this.#ask([{ kind: 'lift', app, deviceId, atMs: this.#identityMoment(app, deviceId, this.#now()) }]);
    return true;
  }

  /** Takes over what other nodes were asked for, as often as they tell. */
  async merge(changes: readonly RevocationChange[]): Promise<void> {
    const fresh = changes.filter((change) => this.#table.apply(change));
    if (fresh.length > 0) await this.#bringIn(fresh);
  }

  async #ask(changes: readonly RevocationChange[]): Promise<number> {
    for (const change of changes) this.#table.apply(change);
    const inForce = this.#bringIn(changes);
    const spread = this.#options.spread?.(changes);
    // Whatever becomes of the others, this node has done its part when the caller hears of it.
    const [closed] = await Promise.all([inForce, spread?.catch(() => {})]);
    await spread;
    return closed;
  }

  async #bringIn(changes: readonly RevocationChange[]): Promise<number> {
    const written = this.#file.write(() => this.#table.rules());
    const [closed] = await Promise.all([this.#options.distribute(changes), written]);
    return closed;
  }

  /** Later than what was said of it before, though that was by a clock that was ahead. */
  #identityMoment(app: string, deviceId: string, nowMs: number): number {
    return Math.max(nowMs, (this.#table.identityChangedMs(app, deviceId) ?? -1) + 1);
  }

  #changesFor(
    request: RevocationRequest,
    nowMs: number,
  ): { readonly changes: readonly RevocationChange[]; readonly untilMs?: number } {
    const { app, kind } = request;
    const afterLife = (ms: number) => ms + this.#options.longestLifeMs() + CLOCK_TOLERANCE_MS;
    if (kind === 'token') {
      const untilMs = afterLife(nowMs);
      return { changes: [{ kind, app, jti: request.jti, untilMs }], untilMs };
    }
    if (kind === 'identity') {
      const { deviceId } = request;
      // Its tokens of today must not come alive again when the identity is lifted.
      const cut = { kind: 'device', app, deviceId, beforeMs: nowMs, untilMs: afterLife(nowMs) } as const;
      const atMs = this.#identityMoment(app, deviceId, nowMs);
      return { changes: [{ kind, app, deviceId, atMs }, cut] };
    }
    const beforeMs = Math.min(request.beforeMs ?? nowMs, nowMs);
    const untilMs = afterLife(beforeMs);
    if (kind === 'app') return { changes: [{ kind, app, beforeMs, untilMs }], untilMs };
    return { changes: [{ kind, app, deviceId: request.deviceId, beforeMs, untilMs }], untilMs };
  }
}

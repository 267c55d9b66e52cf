/**
 * How one access worker judges tokens: its verifier, kept up with keys and revocations that change while it runs, and
 * the live connections whose token was taken back.
 */
import type { Session } from '../actors/index.js';
import { CloseCode } from '../protocol/index.js';
import {
  createTokenVerifier,
  type PublicJwks,
  type RevocationChange,
  RevocationTable,
  type SyncTokenVerifier,
} from '../tokens/index.js';
import type { WorkerSettings } from './worker-settings.js';

/** Connections closed before others get their turn: a whole app's are many. */
const SLICE = 200;
const PRUNE_EVERY_MS = 60_000;

export class WorkerTokens {
  readonly verifier: SyncTokenVerifier;
  readonly #revocations: RevocationTable;
  readonly #now: () => number;
  #prunedMs: number;

  constructor({ config, jwks, revocations }: Pick<WorkerSettings, 'config' | 'jwks' | 'revocations'>, now = Date.now) {
    this.#revocations = new RevocationTable(revocations);
    this.verifier = createTokenVerifier({ jwks, apps: Object.keys(config.apps), revocations: this.#revocations, now });
    this.#now = now;
    this.#prunedMs = now();
  }

  useKeys(jwks: PublicJwks): void {
    this.verifier.useKeys(jwks);
  }

  /** Refuses from now on what `changes` take back, and closes the connections among `sessions` that live on it. */
  revoke(changes: readonly RevocationChange[], sessions: Iterable<Session>): { closed: number } {
    for (const change of changes) this.#revocations.apply(change);
    this.#prune();
    // Asked of the new rules alone: what the others meant is gone already.
    const fresh = new RevocationTable(changes);
    const hit = [...sessions].filter((session) => fresh.isRevoked(session.claims));
    closeInSlices(hit, 0);
    return { closed: hit.length };
  }

  #prune(): void {
    const nowMs = this.#now();
    if (nowMs - this.#prunedMs < PRUNE_EVERY_MS) return;
    this.#prunedMs = nowMs;
    this.#revocations.prune(nowMs);
  }
}

function closeInSlices(sessions: readonly Session[], from: number): void {
  const to = Math.min(from + SLICE, sessions.length);
  for (const session of sessions.slice(from, to)) session.close(CloseCode.invalidToken, 'token revoked');
  if (to < sessions.length) setImmediate(closeInSlices, sessions, to);
}

/**
 * What every node must know to judge a token: revocations and public keys, as records that the engine keeps and merges
 * without understanding them. Of two records with one key the one with the greater order stays, so that it does not
 * matter who says what first, or how often.
 */

export interface SharedRecord {
  /** Up to 1 KiB. */
  readonly key: string;
  /** A whole number; among records of this key the greatest wins. */
  readonly order: number;
  readonly value: string;
  /** When it may be forgotten, in milliseconds since the Unix epoch; 0 is never. */
  readonly untilMs: number;
}

/** How far somebody has read. */
export interface StoreMark {
  /** Another one after the store was emptied. */
  readonly epoch: string;
  readonly version: number;
}

export interface RecordsPage {
  readonly records: readonly SharedRecord[];
  readonly mark: StoreMark;
  /** It begins with the oldest record there is, because nothing else was asked for or the store is another one. */
  readonly isFirst: boolean;
  readonly hasMore: boolean;
}

export interface CredentialStore {
  /**
   * Stores what is newer than what is there, and has every node look.
   *
   * @returns the mark that whoever knows of it has reached
   * @throws {EngineUnavailableError} some of it may be stored; putting it again does no harm
   */
  put(records: readonly SharedRecord[]): Promise<StoreMark>;
  /** What was stored after `since`, oldest first; from the beginning without it. @throws {EngineUnavailableError} */
  read(since?: StoreMark): Promise<RecordsPage>;
  /** A node is acting on everything up to `mark`. Forgotten after `CONFIRMED_MS`. @throws {EngineUnavailableError} */
  confirm(incarnation: string, mark: StoreMark): Promise<void>;
  /** What these nodes last confirmed, in their order. @throws {EngineUnavailableError} */
  confirmed(incarnations: readonly string[]): Promise<readonly (StoreMark | undefined)[]>;
  /** Told when there may be something to read. */
  onChange(listener: () => void): void;
}

/** How long a node's word counts that it acts on what it has read. */
export const CONFIRMED_MS = 60_000;

/** Records in one page. */
export const PAGE_RECORDS = 500;

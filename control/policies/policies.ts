/**
 * The policies in force. Their file is checked before it counts: one with problems leaves the old policies where they are,
 * and says so in the log, in the metrics and to operators. A node that starts with such a file does not start.
 *
 * @see docs/control.md, "Policies"
 */
import type { ControlState, Logger, NodeRecord, PolicyFigures, PolicyKeeper } from '../../cluster/index.js';
import { ConfigError, type ConfigProblem, type CurrentConfig, type NodeConfig } from '../../config/index.js';
import { UnknownRolloutError } from './errors.js';
import { FileWatch } from './file-watch.js';
import { NO_POLICY, parsePolicies } from './parse.js';
import { readPolicyFile, readPolicyFileLater } from './policy-file.js';
import { type Decision, matchedOf, NO_POLICIES, type PolicySet } from './policy-set.js';
import { Rollouts, type SetShare } from './rollouts.js';
import type { Subject } from './subject.js';

const DEFAULT_POOL = 'default';

export interface PoliciesOptions {
  readonly config: CurrentConfig;
  readonly log: Logger;
}

/** A file that was read and found good. */
interface Loaded {
  readonly file: string | null;
  readonly text: string;
  readonly set: PolicySet;
}

export interface RefusedFile {
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly problems: readonly ConfigProblem[];
}

export interface PoliciesStatus {
  readonly file: string | null;
  /** Since when these are in force. */
  readonly sinceMs: number;
  readonly policies: readonly { readonly name: string; readonly decisions: number }[];
  /** Absent while the file is the one in force. */
  readonly refused?: RefusedFile | undefined;
}

export interface RolloutStatus {
  readonly name: string;
  /** Per cent in force. */
  readonly share: number;
  readonly shareInFile: number;
  /** Absent while the file's share counts. */
  readonly set?: SetShare | undefined;
  /** Policies that go by it. */
  readonly policies: readonly string[];
}

export class Policies implements PolicyKeeper {
  readonly #options: PoliciesOptions;
  readonly #rollouts: Rollouts;
  readonly #decisions = new Map<string, number>();
  readonly #loads = { applied: 0, refused: 0 };
  #loaded: Loaded = { file: null, text: '', set: NO_POLICIES };
  #sinceMs = Date.now();
  #refused: RefusedFile | undefined;
  /** The file as it was looked at last: its text, or why there was none. */
  #seen = '';
  #watch: FileWatch | undefined;
  #isOpen = false;

  /** @throws {ConfigError} the file cannot be used */
  constructor(options: PoliciesOptions) {
    this.#options = options;
    this.#rollouts = new Rollouts({
      log: options.log,
      node: () => options.config.value.node.name,
      inFile: () => this.#loaded.set.rollouts,
    });
    this.prepare(options.config.value)();
  }

  async open(state: ControlState): Promise<void> {
    await this.#rollouts.open(state);
    this.#isOpen = true;
    this.#watchFile();
  }

  close(): void {
    this.#isOpen = false;
    this.#watch?.close();
    this.#rollouts.close();
  }

  /**
   * Reads the file that a configuration names.
   *
   * @returns puts it in force; tells whether anything is different
   * @throws {ConfigError} nothing has changed
   */
  prepare(config: NodeConfig): () => boolean {
    const { file } = config.control.policies;
    const loaded: Loaded =
      file === null ? { file, text: '', set: NO_POLICIES } : load(file, readPolicyFile(file), config);
    return () => this.#apply(loaded);
  }

  /** The decision of one moment; not counted. */
  decide(subject: Omit<Subject, 'shareOf' | 'nowMs'>): Decision {
    const whole: Subject = { ...subject, nowMs: Date.now(), shareOf: this.#shareOf };
    return this.#loaded.set.decide(whole);
  }

  /** A device was answered by this decision. */
  count(decision: Decision): void {
    const matched = matchedOf(decision);
    for (const name of matched.length === 0 ? [NO_POLICY] : matched) {
      this.#decisions.set(name, (this.#decisions.get(name) ?? 0) + 1);
    }
  }

  poolOf({ name, pool = DEFAULT_POOL }: NodeRecord): string {
    return this.#loaded.set.pools.get(name) ?? pool;
  }

  rollouts(): RolloutStatus[] {
    const { rollouts, followers } = this.#loaded.set;
    return [...rollouts].map(([name, shareInFile]) => {
      const set = this.#rollouts.lastSet(name);
      const policies = followers.get(name) ?? [];
      return { name, share: this.#shareOf(name), shareInFile, ...(set === undefined ? {} : { set }), policies };
    });
  }

  /**
   * @param share per cent
   * @throws {UnknownRolloutError}
   * @throws what `Rollouts.set` throws
   */
  async setRollout(name: string, share: number): Promise<RolloutStatus> {
    if (!this.#loaded.set.rollouts.has(name)) throw new UnknownRolloutError(name);
    await this.#rollouts.set(name, share);
    const status = this.rollouts().find((each) => each.name === name);
    if (status === undefined) throw new UnknownRolloutError(name);
    return status;
  }

  status(): PoliciesStatus {
    const { file, set } = this.#loaded;
    const refused = this.#refused;
    return {
      file,
      sinceMs: this.#sinceMs,
      policies: set.names.map((name) => ({ name, decisions: this.#decisions.get(name) ?? 0 })),
      ...(refused === undefined ? {} : { refused }),
    };
  }

  figures(): PolicyFigures {
    return {
      decisions: this.#decisions,
      loads: this.#loads,
      isStale: this.#refused !== undefined,
      rollouts: new Map([...this.#loaded.set.rollouts.keys()].map((name) => [name, this.#shareOf(name)])),
    };
  }

  readonly #shareOf = (rollout: string): number => this.#rollouts.shareOf(rollout);

  #apply(loaded: Loaded): boolean {
    this.#refused = undefined;
    this.#seen = loaded.text;
    const { file, text } = this.#loaded;
    const isSame = loaded.file === file && loaded.text === text;
    this.#loaded = loaded;
    if (isSame) return false;
    this.#sinceMs = Date.now();
    this.#loads.applied += 1;
    this.#options.log.info('policies in force', { file: loaded.file, policies: loaded.set.names.length });
    if (this.#isOpen && loaded.file !== file) this.#watchFile();
    return true;
  }

  #watchFile(): void {
    this.#watch?.close();
    const { file } = this.#loaded;
    this.#watch = file === null ? undefined : new FileWatch(file, () => void this.#look(file));
  }

  /** The file may be another one. */
  async #look(file: string): Promise<void> {
    let text: string | ConfigError;
    try {
      text = await readPolicyFileLater(file);
    } catch (error) {
      text = error as ConfigError;
    }
    const seen = typeof text === 'string' ? text : text.message;
    if (!this.#isOpen || this.#loaded.file !== file || seen === this.#seen) return;
    try {
      if (typeof text !== 'string') throw text;
      this.#apply(load(file, text, this.#options.config.value));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#seen = seen;
      this.#loads.refused += 1;
      this.#refused = { atMs: Date.now(), problems: error.problems };
      this.#options.log.error('policies not reloaded', { error: error.code, problems: error.problems });
    }
  }
}

function load(file: string, text: string, config: NodeConfig): Loaded {
  return { file, text, set: parsePolicies(text, file, config) };
}

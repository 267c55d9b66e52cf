/** One line of a bulk push: from bytes to something to send, or to the reason why not. */
import { isUtf8 } from 'node:buffer';
import { type FieldError, InvalidRequestError, ProblemError } from '../../http/index.js';
import type { Business, Callers } from '../callers.js';
import { LineTooLongError } from '../errors.js';
import type { MessageFactory } from '../message.js';
import type { PushMessage } from '../routing.js';
import { type BulkLine, bulkLine } from '../schemas.js';
import { type Line, TOO_LONG } from './line-splitter.js';

/** Where a line goes. */
export type Target =
  | { readonly kind: 'device' | 'devices'; readonly app: string; readonly devices: readonly string[] }
  | { readonly kind: 'user'; readonly app: string; readonly user: string }
  | { readonly kind: 'group'; readonly group: string };

export interface Job {
  /** The beginning of its result: `{"index":3,"ref":"x"`. */
  readonly head: string;
  /** Bytes of the line. */
  readonly bytes: number;
  readonly work: { readonly target: Target; readonly message: PushMessage; readonly line: BulkLine } | ProblemError;
}

export interface LineReaderOptions {
  readonly callers: Callers;
  readonly messages: MessageFactory;
  /** The business whose key came with the request. */
  readonly subject: string;
  readonly maxLineBytes: number;
}

const NOT_JSON = new ProblemError(400, 'TRK_INVALID_JSON', 'the line is not valid JSON');

export class LineReader {
  readonly #options: LineReaderOptions;
  #index = 0;

  constructor(options: LineReaderOptions) {
    this.#options = options;
  }

  /** Never throws for what a line says. */
  read(line: Line): Job {
    const index = this.#index++;
    if (line === TOO_LONG) {
      return { head: headOf(index, undefined), bytes: 0, work: new LineTooLongError(this.#options.maxLineBytes) };
    }
    const bytes = line.length;
    const value = parse(line);
    if (value === undefined) return { head: headOf(index, undefined), bytes, work: NOT_JSON };
    const head = headOf(index, (value as { ref?: unknown } | null)?.ref);
    try {
      return { head, bytes, work: this.#judge(value) };
    } catch (error) {
      if (error instanceof ProblemError) return { head, bytes, work: error };
      throw error;
    }
  }

  #judge(value: unknown) {
    const { callers, messages, subject } = this.#options;
    const result = bulkLine.safeParse(value);
    if (!result.success) throw refusal(result.error.issues);
    const line = result.data;
    if (line.metadata !== undefined && Object.hasOwn((value as BulkLine).metadata ?? {}, '__proto__')) throw NOT_JSON;
    const target = targetOf(line);
    const business: Business =
      target.kind === 'group' ? callers.business(subject) : callers.businessFor(subject, target.app);
    const message = messages.create(business.id, line, line.group);
    return { target, message, line };
  }
}

/** @returns undefined for what is no JSON */
function parse(line: Buffer): unknown {
  if (!isUtf8(line)) return undefined;
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
}

function headOf(index: number, ref: unknown): string {
  return typeof ref === 'string' && ref.length <= MAX_REF
    ? `{"index":${index},"ref":${JSON.stringify(ref)}`
    : `{"index":${index}`;
}

const MAX_REF = 256;

/** Of a line that the schema let pass, which has exactly one. */
function targetOf({ app = '', device, devices, user, group }: BulkLine): Target {
  if (device !== undefined) return { kind: 'device', app, devices: [device] };
  if (devices !== undefined) return { kind: 'devices', app, devices };
  if (user !== undefined) return { kind: 'user', app, user };
  return { kind: 'group', group: group ?? '' };
}

function refusal(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): ProblemError {
  const errors = issues.slice(0, MAX_ERRORS).map(({ path, message }): FieldError => {
    return { in: 'body', field: path.map(String).join('.'), detail: message };
  });
  return new InvalidRequestError(errors);
}

/** Told of one line. */
const MAX_ERRORS = 5;

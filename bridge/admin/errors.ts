/**
 * What the admin API refuses beyond the form of a request.
 *
 * @see docs/errors.md
 */
import {
  NodeNotRunningError,
  NoSuchTargetError,
  RestartNeededError,
  RevocationNotSpreadError,
  TooManyRevocationsError,
} from '../../cluster/index.js';
import { ConfigError } from '../../config/index.js';
import { ProblemError } from '../../http/index.js';

/** No business of that name. */
export class NoSuchBusinessError extends ProblemError {
  constructor(business: string) {
    super(404, 'TRK_UNKNOWN_BUSINESS', `this node has no business ${JSON.stringify(business)}`);
  }
}

/** A rule about an app that nobody configured would be a misspelling that looks like a success. */
export class NoSuchAppError extends ProblemError {
  constructor(app: string) {
    super(404, 'TRK_UNKNOWN_APP', `this node has no app ${JSON.stringify(app)}`);
  }
}

/** The node got its configuration from its program, so there is nothing to read again. */
export class NoConfigFileError extends ProblemError {
  constructor() {
    super(409, 'TRK_NO_CONFIG_FILE', 'this node was not started from a configuration file');
  }
}

/** @returns why a reload was refused, as a problem that names each setting; other errors stay as they are */
export function reloadRefusal(error: unknown): unknown {
  if (error instanceof ConfigError) {
    const errors = error.problems.map(({ path, line, source, message }) => ({
      in: 'configuration' as const,
      field: path,
      detail: line === undefined && source === undefined ? message : `${message} (${source ?? `line ${line}`})`,
    }));
    return new ProblemError(409, error.code, 'the configuration has problems; the old one stays', { errors });
  }
  if (error instanceof RestartNeededError) {
    const errors = error.settings.map((field) => {
      return { in: 'configuration' as const, field, detail: 'takes a restart' };
    });
    return new ProblemError(409, error.code, 'settings changed that take a restart; the old ones stay', { errors });
  }
  return notRunning(error);
}

/** @returns why a drain was refused, as a problem; other errors stay as they are */
export function drainRefusal(error: unknown): unknown {
  if (error instanceof NoSuchTargetError) return new ProblemError(404, error.code, error.message);
  return notRunning(error);
}

/** @returns why a revocation was refused, or is not known to every node, as a problem; other errors stay as they are */
export function revocationRefusal(error: unknown): unknown {
  if (error instanceof TooManyRevocationsError) {
    return new ProblemError(409, error.code, error.message, { cause: error });
  }
  if (!(error instanceof RevocationNotSpreadError)) return error;
  return new ProblemError(503, error.code, error.message, { cause: error, headers: { 'retry-after': '1' } });
}

function notRunning(error: unknown): unknown {
  if (!(error instanceof NodeNotRunningError)) return error;
  return new ProblemError(503, error.code, error.message, { headers: { 'retry-after': '1' } });
}

/**
 * What a command throws to end the process with a sentence and an exit code.
 *
 * @see docs/errors.md
 */
import { TrunklineError } from '../protocol/index.js';
import { ExitCode } from './exit-codes.js';

export abstract class CommandError extends TrunklineError {
  abstract readonly exitCode: ExitCode;
}

/** The command line is wrong; the message says what to write instead. */
export class UsageError extends CommandError {
  readonly code = 'TRK_USAGE';
  readonly exitCode = ExitCode.usage;
}

/** The node's private listener did not answer, or refused. */
export class NodeRefusedError extends CommandError {
  readonly code = 'TRK_NODE_REFUSED';
  readonly exitCode = ExitCode.refused;
  constructor(
    message: string,
    /** Undefined when there was no answer. */
    readonly httpStatus: number | undefined,
    /** The problem's own code, such as `TRK_OVERLOADED`. */
    readonly problemCode: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A part of the demo ended by itself. */
export class DemoPartFailedError extends CommandError {
  readonly code = 'TRK_DEMO_PART_FAILED';
  readonly exitCode = ExitCode.failed;
}

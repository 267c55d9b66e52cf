/**
 * What the process's exit code says, for scripts around it.
 *
 * @see docs/operations.md, "Exit codes"
 */
export const ExitCode = {
  ok: 0,
  /** A fault while running, or a stop that was forced. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The configuration cannot be used. */
  config: 3,
  /** The node was not reached, or refused. */
  refused: 4,
  /** The node understood, but not all that was asked for came true: a push to nobody, a request refused, not ready. */
  notDone: 5,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

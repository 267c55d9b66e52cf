/**
 * SIGINT and SIGTERM ask for a stop, once; a second one ends the process at once, because a person who presses
 * Ctrl-C twice means it. Under `npm start` one Ctrl-C arrives twice, from the terminal and from npm, hence the pause
 * before another signal counts.
 */
import { ExitCode } from './exit-codes.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Signals closer together than this are one. */
export const SAME_PRESS_MS = 500;

export interface StopSignalOptions {
  /** What a second signal does; ends the process by default. */
  readonly onSecond?: () => void;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

/** @returns settles with the first signal's name */
export function stopSignal({
  onSecond = forceExit,
  now = () => performance.now(),
}: StopSignalOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      firstMs ??= now();
      resolve(signal);
      if (now() - firstMs >= SAME_PRESS_MS) onSecond();
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
  });
}

function forceExit(): void {
  process.exit(ExitCode.failed);
}

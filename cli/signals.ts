/**
 * SIGINT and SIGTERM ask for a stop, once; a second one ends the process at once, because a person who presses
 * Ctrl-C twice means it.
 */
import { ExitCode } from './exit-codes.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** @returns settles with the first signal's name */
export function stopSignal(onSecond: () => void = () => process.exit(ExitCode.failed)): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let seen = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (seen) onSecond();
      seen = true;
      resolve(signal);
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
  });
}

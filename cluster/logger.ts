/**
 * Structured logs: one JSON object a line on standard error, so that standard output stays with the command.
 * A line is a fixed sentence with fields; secrets are never fields.
 */
import winston from 'winston';

export type Logger = winston.Logger;

export interface LoggerOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  /** Name of the node, a field of every line. */
  readonly name: string;
}

const LEVELS = ['error', 'warn', 'info', 'debug'];

export function createLogger({ level, name }: LoggerOptions): Logger {
  return winston.createLogger({
    level,
    defaultMeta: { node: name },
    format: winston.format.combine(
      winston.format.errors({ stack: true }),
      winston.format.timestamp(),
      winston.format.json(),
    ),
    transports: [new winston.transports.Console({ stderrLevels: LEVELS })],
  });
}

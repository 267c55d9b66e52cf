/**
 * comedy's own log lines, which it writes through any module with these four functions: its faults as ours, its
 * chatter not at all. Named to comedy by module path, so that its worker threads load it too.
 */
import { createLogger } from './logger.js';

const log = createLogger({ level: 'warn', name: 'comedy' });

export function error(...parts: unknown[]): void {
  log.error('actor system error', { detail: parts.map(String).join(' ') });
}

export function warn(...parts: unknown[]): void {
  log.warn('actor system warning', { detail: parts.map(String).join(' ') });
}

export function info(): void {}

export function debug(): void {}

/**
 * Bootstraps of one app from one address: so many a minute, and one whose proof fails counts as many, so that guessing a
 * device secret or an assertion slows down long before it annoys anybody else.
 *
 * The address alone is counted, never the device id: whoever knows an id could lock its device out otherwise.
 *
 * @see docs/control.md, "Limits"
 */
import { isIPv6 } from 'node:net';
import { ProblemError } from '../http/index.js';
import type { AppEntry } from './app-directory.js';
import { RateLimitedError } from './errors.js';
import { RateLimiter, type RateLimiterOptions } from './rate-limiter.js';

/** What a failed proof costs, in bootstraps. */
export const FAILED_PROOF_COST = 20;

const FAILED_PROOFS: ReadonlySet<string> = new Set(['TRK_DEVICE_NOT_PROVEN', 'TRK_INVALID_ASSERTION']);

export class BootstrapLimits {
  readonly #limiter: RateLimiter;

  constructor(options: RateLimiterOptions = {}) {
    this.#limiter = new RateLimiter(options);
  }

  /**
   * @param ip of the client, as the listener knows it
   * @throws {RateLimitedError} and `work` is not begun
   * @throws what `work` throws
   */
  async guard<T>({ name, config }: AppEntry, ip: string, work: () => Promise<T>): Promise<T> {
    const perMinute = config.bootstrapsPerMinutePerIp;
    const key = `${name} ${networkOf(ip)}`;
    const waitMs = this.#limiter.take(key, perMinute);
    if (waitMs > 0) throw new RateLimitedError('too many bootstraps from this address', waitMs);
    try {
      return await work();
    } catch (error) {
      const isGuess = error instanceof ProblemError && FAILED_PROOFS.has(error.code);
      if (isGuess) this.#limiter.charge(key, perMinute, FAILED_PROOF_COST - 1);
      throw error;
    }
  }
}

/** One who has an IPv6 address has a /64 of them. @returns the address, of IPv6 its first four groups */
export function networkOf(ip: string): string {
  // A listener on `::` sees IPv4 clients so.
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined || !isIPv6(ip)) return mapped ?? ip;
  const [head = '', tail] = ip.split('%', 1)[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  // An address that ends in dotted form has one part where it has two groups; those are not in the first four.
  const missing = tail === undefined ? 0 : 8 - groups.length - behind.length;
  const whole = [...groups, ...Array.from({ length: Math.max(missing, 0) }, () => '0'), ...behind];
  const network = whole.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}

/**
 * What a back-end client is made of, and the shapes of a call and its reply. The shapes are those of the port
 * `BackEnd` in `actors/`, written down again because this folder knows the protocol and nothing above it.
 */
import type { Status, StringMap } from '../protocol/index.js';
import { InvalidUpstreamOptionError } from './errors.js';

/** One upstream request, as a business's back-end is to see it. */
export interface UpstreamCall {
  readonly device: { readonly app: string; readonly deviceId: string };
  readonly uid?: string | undefined;
  /** Printable connection id. */
  readonly connectionId: string;
  readonly method: string;
  readonly metadata: StringMap;
  /** Must stay as it is until the reply is there. */
  readonly payload: Uint8Array;
  /** What the client will wait; 0 leaves it to the business's limit. */
  readonly deadlineMs: number;
  /** The client's CANCEL, or the end of its connection. */
  readonly signal: AbortSignal;
}

export interface UpstreamReply {
  readonly status: Status;
  readonly metadata: StringMap;
  readonly payload: Uint8Array;
}

/**
 * How a call ended, for metrics:
 *
 * - `answered`      the back-end answered, whatever its status
 * - `refused`       the client's method, metadata or content type cannot travel; nothing was sent
 * - `queue-full`    `concurrency` calls under way and `maxQueue` waiting
 * - `breaker-open`  the back-end failed lately; nothing was sent
 * - `cancelled`     by the client, or with its connection
 * - `timeout`       the deadline passed, in the queue or at the back-end
 * - `network`       no connection, or it broke before the answer was whole
 * - `bad-answer`    an answer that is too large, a redirect, or not in its form
 * - `closed`        the client was already closing
 */
export type OutcomeKind =
  | 'answered'
  | 'refused'
  | 'queue-full'
  | 'breaker-open'
  | 'cancelled'
  | 'timeout'
  | 'network'
  | 'bad-answer'
  | 'closed';

export interface Outcome {
  readonly status: Status;
  /** From the call to its reply, waiting in the queue included. */
  readonly latencyMs: number;
  readonly kind: OutcomeKind;
}

export interface Clock {
  /** Milliseconds since the Unix epoch; signatures carry it. */
  wallMs(): number;
  /** Milliseconds that never run backwards; latency and the breaker use it. */
  monotonicMs(): number;
}

export interface UpstreamOptions {
  /** Name of the business, as `ce-business` tells it. */
  readonly business: string;
  /** Where every request is POSTed: http or https, a query allowed, credentials and a fragment not. */
  readonly url: string;
  /** HMAC-SHA-256 key of the signature; at least 16 characters. */
  readonly signingSecret: string;
  /** Exchanges under way at once, each on a connection of its own; from 1. */
  readonly concurrency: number;
  /** Calls waiting beyond those; more are answered RESOURCE_EXHAUSTED. 0 lets none wait. */
  readonly maxQueue: number;
  /** The longest a call may take, queue included, whatever the client asked for; 1 to 2^31 - 1. */
  readonly deadlineMs: number;
  /** Bytes of an answer's body; a longer one is answered INTERNAL and its connection destroyed. From 1. */
  readonly maxResponseBytes: number;
  readonly breaker: {
    /** Failures in a row that open the breaker; from 1. */
    readonly failures: number;
    /** How long it stays open before one call may try; from 1. */
    readonly openMs: number;
  };
  /** Default: the process's clocks. */
  readonly clock?: Clock | undefined;
  /** Called once per call, just before its reply. Must not throw. */
  readonly onOutcome?: ((outcome: Outcome) => void) | undefined;
}

/** `setTimeout` takes no more. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
const MIN_SECRET_CHARACTERS = 16;

export const SYSTEM_CLOCK: Clock = Object.freeze({
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
});

/**
 * @returns the address, parsed
 * @throws {InvalidUpstreamOptionError} naming the field
 */
export function checkOptions(options: UpstreamOptions): URL {
  const { business, breaker } = options;
  const check = (field: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER) => {
    if (Number.isSafeInteger(value) && value >= min && value <= max) return;
    throw new InvalidUpstreamOptionError(business, field, `is ${value}, not a whole number from ${min} to ${max}`);
  };
  check('concurrency', options.concurrency, 1);
  check('maxQueue', options.maxQueue, 0);
  check('deadlineMs', options.deadlineMs, 1, MAX_TIMER_MS);
  check('maxResponseBytes', options.maxResponseBytes, 1);
  check('breaker.failures', breaker.failures, 1);
  check('breaker.openMs', breaker.openMs, 1);
  if (options.signingSecret.length < MIN_SECRET_CHARACTERS) {
    throw new InvalidUpstreamOptionError(
      business,
      'signingSecret',
      `is shorter than ${MIN_SECRET_CHARACTERS} characters`,
    );
  }
  return checkUrl(business, options.url);
}

function checkUrl(business: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new InvalidUpstreamOptionError(business, 'url', 'is no http or https address');
  }
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new InvalidUpstreamOptionError(business, 'url', 'has credentials or a fragment');
  }
  return url;
}

/**
 * By which protocol a device is connected and why: what a device tells with its hello, what the roster keeps and the page
 * shows. It comes over the wire, so it is read with care.
 */
import type { Protocol, Why } from '../sdk/node.js';

/** In the service's own order. */
export const PROTOCOLS = ['quic', 'tls', 'wss', 'tcp', 'ws'] as const satisfies readonly Protocol[];
const REASONS = ['only', 'first', 'raced', 'remembered', 'fallback'] as const satisfies readonly Why[];

/** One protocol and no other, or `race`: as the service orders. */
export type Choice = Protocol | 'race';

export interface WayIn {
  readonly choice: Choice;
  readonly protocol: Protocol;
  readonly why: Why;
  /** Candidates that failed before. */
  readonly losers: number;
}

export function isChoice(value: unknown): value is Choice {
  return value === 'race' || isProtocol(value);
}

/** @returns undefined when it is not in its form */
export function readWayIn(value: unknown): WayIn | undefined {
  const { choice, protocol, why, losers } = (value ?? {}) as Record<string, unknown>;
  const isCount = Number.isSafeInteger(losers) && (losers as number) >= 0;
  if (!isChoice(choice) || !isProtocol(protocol) || !isReason(why) || !isCount) return undefined;
  return { choice, protocol, why, losers: losers as number };
}

export function isSameWayIn(a: WayIn | undefined, b: WayIn | undefined): boolean {
  return a?.choice === b?.choice && a?.protocol === b?.protocol && a?.why === b?.why && a?.losers === b?.losers;
}

function isProtocol(value: unknown): value is Protocol {
  return PROTOCOLS.some((protocol) => protocol === value);
}

function isReason(value: unknown): value is Why {
  return REASONS.some((reason) => reason === value);
}

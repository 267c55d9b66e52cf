/**
 * What a client needs before it can connect, and the check of it: the answer comes over the network, from the
 * control layer or from an application's own back-end, and a wrong field should be named here rather than fail
 * somewhere later.
 */
import { MAX_TOKEN_BYTES, utf8Length } from '../protocol/index.js';
import { DEFAULT_RETRY, type RetrySettings } from './backoff.js';
import { BootstrapError } from './errors.js';
import type { PulseSettings, ReportSettings } from './pulse/pulse.js';
import type { RaceSettings } from './racing/race.js';
import type { Protocol } from './transports/connector.js';

/** The control layer's answer; a `credentials` port may leave out what has a `?`. */
export interface Bootstrap {
  readonly token: string;
  /** Milliseconds since the Unix epoch, by the server's clock. */
  readonly expiresAtMs: number;
  /** Per protocol, in order of preference. */
  readonly accessPoints: Readonly<Partial<Record<Protocol, readonly string[]>>>;
  /** In order of preference; the keys of `accessPoints` when absent. */
  readonly protocols?: readonly Protocol[] | undefined;
  readonly app?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly deviceSecret?: string | undefined;
  readonly businesses?: readonly string[] | undefined;
  /** Bounds of an adaptive heartbeat; without them, and when they are equal, the interval of CONNACK is kept to. */
  readonly heartbeat?:
    | {
        readonly intervalMs: number;
        readonly minMs?: number | undefined;
        readonly maxMs?: number | undefined;
      }
    | undefined;
  /** Which share of the connections reports measurements, 0 to 1, and how often; nobody does when absent. */
  readonly report?: ReportSettings | undefined;
  readonly retry?: RetrySettings | undefined;
  readonly racing?: RaceSettings | undefined;
  /** Flags of the policies that matched, for the application. */
  readonly features?: Features | undefined;
  /** Known here: `maxQueuedRequests`. */
  readonly limits?: Readonly<Record<string, number>> | undefined;
  /** Names of the policies that matched, for logs. */
  readonly decisions?: readonly string[] | undefined;
}

export type Features = Readonly<Record<string, string | number | boolean>>;

/** A checked bootstrap. */
export interface Credentials extends PulseSettings {
  readonly token: string;
  readonly expiresAtMs: number;
  readonly deviceId: string | undefined;
  readonly deviceSecret: string | undefined;
  readonly targets: readonly Target[];
  /** For the error when no target is usable. */
  readonly offered: readonly string[];
  readonly retry: RetrySettings;
  /** What a control layer need not say. */
  readonly racing: RaceSettings | undefined;
  readonly features: Features;
  readonly limits: Readonly<Record<string, number>>;
  readonly decisions: readonly string[];
}

/** One place to connect to, one way to do it. */
export interface Target {
  readonly protocol: Protocol;
  readonly accessPoint: string;
}

/** @throws {BootstrapError} a field is missing or not in its form; names it */
export function checkBootstrap(answer: unknown): Credentials {
  const body = record(answer, 'the answer');
  const accessPoints = record(body['accessPoints'], 'accessPoints');
  const protocols = body['protocols'] === undefined ? Object.keys(accessPoints) : texts(body['protocols'], 'protocols');
  const { token, expiresAtMs, retry, heartbeat = {} } = body;
  if (typeof token !== 'string' || token === '' || utf8Length(token) > MAX_TOKEN_BYTES) throw wrong('token');
  if (!isPositive(expiresAtMs)) throw wrong('expiresAtMs');
  return {
    token,
    expiresAtMs,
    deviceId: optionalText(body['deviceId'], 'deviceId'),
    deviceSecret: optionalText(body['deviceSecret'], 'deviceSecret'),
    targets: protocols.flatMap((protocol) => targetsOf(protocol, accessPoints[protocol])),
    offered: protocols,
    racing: numbers(body, 'racing', 'delayMs', 'maxParallel'),
    features: optionalRecord(body, 'features') as Features,
    limits: optionalRecord(body, 'limits') as Record<string, number>,
    decisions: texts(body['decisions'] ?? [], 'decisions'),
    retry: retry === undefined ? DEFAULT_RETRY : range(retry, 'retry'),
    heartbeat: record(heartbeat, 'heartbeat')['minMs'] === undefined ? undefined : range(heartbeat, 'heartbeat'),
    report: reportSettings(body['report']),
  };
}

/** An object whose fields, those named at least, are numbers from 0. */
function numbers<T extends object>(body: Record<string, unknown>, field: string, ...names: string[]): T | undefined {
  if (body[field] === undefined) return undefined;
  const values = record(body[field], field);
  if (names.some((name) => !((values[name] as number) >= 0))) throw wrong(field);
  return values as T;
}

function optionalRecord(body: Record<string, unknown>, field: string): Record<string, unknown> {
  return record(body[field] ?? {}, field);
}

function targetsOf(protocol: string, addresses: unknown): Target[] {
  if (addresses === undefined) return [];
  return texts(addresses, `accessPoints.${protocol}`).map((accessPoint) => ({
    protocol: protocol as Protocol,
    accessPoint,
  }));
}

function range(value: unknown, field: string): { minMs: number; maxMs: number } {
  const { minMs, maxMs } = record(value, field);
  if (!isPositive(minMs) || !isPositive(maxMs) || minMs > maxMs) throw wrong(field);
  return { minMs, maxMs };
}

function reportSettings(report: unknown): ReportSettings | undefined {
  if (report === undefined) return undefined;
  const { share, intervalMs } = record(report, 'report');
  if (typeof share !== 'number' || !isPositive(intervalMs)) throw wrong('report');
  return { share, intervalMs };
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw wrong(field);
  return value as Record<string, unknown>;
}

function texts(value: unknown, field: string): string[] {
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) throw wrong(field);
  return value as string[];
}

function optionalText(value: unknown, field: string): string | undefined {
  if (value !== undefined && typeof value !== 'string') throw wrong(field);
  return value;
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function wrong(field: string): BootstrapError {
  return new BootstrapError(`bootstrap: ${field} is missing or not in its form`);
}

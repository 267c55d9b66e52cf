/**
 * The client's feel for its network, over all its connections: how long a link may be silent, and what the server
 * asked to be told. It watches the heartbeats of the connection in use and tells the server of a new interval
 * before it keeps to it, so that the server is never the first to find the silence too long.
 *
 * @see docs/client.md, "Heartbeat" and "Measurements"
 */
import { type ClientFrame, FrameType, type StringMap } from '../../protocol/index.js';
import type { Clock } from '../clock.js';
import type { HeartbeatTimer, HeartbeatWatcher } from '../heartbeat-timer.js';
import { type HeartbeatBounds, HeartbeatTuner } from './heartbeat-tuner.js';
import { type LoginMeasured, reportOf } from './measurements.js';

/** How much one round trip changes the smoothed one, as TCP does it (RFC 6298). */
const RTT_WEIGHT = 1 / 8;

/** Where a client keeps the heartbeat that a network was found to allow; a `Map` is one. */
export interface HeartbeatMemory {
  /** @returns milliseconds; undefined for a network that nothing is known of */
  get(network: string): number | undefined;
  /** @param intervalMs undefined forgets */
  set(network: string, intervalMs: number | undefined): void;
}

export interface ReportSettings {
  /** Of the connections that report, 0 to 1. */
  readonly share: number;
  readonly intervalMs: number;
}

/** As the bootstrap told. */
export interface PulseSettings {
  /** Without them, and when they are equal, the interval is CONNACK's. */
  readonly heartbeat: HeartbeatBounds | undefined;
  /** Without it nothing is told. */
  readonly report: ReportSettings | undefined;
}

export interface PulseOptions {
  /** Names the network that the device is on. */
  readonly network: () => string;
  /** Undefined keeps to the interval of CONNACK. */
  readonly heartbeatMemory: HeartbeatMemory | undefined;
  readonly isReporting: boolean;
  readonly random: () => number;
  readonly clock: Clock;
}

/** Of a connection, what this needs. */
export interface PulseLink {
  readonly connack: { readonly heartbeatMs: number };
  /** Undefined when it has ended. */
  readonly heartbeat: HeartbeatTimer | undefined;
  send(frame: ClientFrame): void;
}

export class Pulse implements HeartbeatWatcher {
  readonly #options: PulseOptions;
  #tuner: HeartbeatTuner | undefined;
  #network = '';
  #link: PulseLink | undefined;
  /** Counts live on over connections, so that a loss which ended one is told on the next. */
  #pings = 0;
  #lost = 0;
  #rttMs: number | undefined;
  #cancelReport = (): void => {};

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  /** The interval that this client would keep, if it knows better than the server. */
  get wantedMs(): number | undefined {
    const { heartbeatMemory, network } = this.#options;
    const isSame = this.#network === network();
    return (isSame ? this.#tuner?.intervalMs : undefined) ?? heartbeatMemory?.get(network());
  }

  /** Logged in; takes the connection over from the one before. */
  online(link: PulseLink, settings: PulseSettings, login: LoginMeasured): void {
    const { isReporting, random } = this.#options;
    const { report } = settings;
    this.#link = link;
    if (link.heartbeat !== undefined) link.heartbeat.watcher = this;
    this.#tune(link.connack.heartbeatMs, settings.heartbeat);
    if (isReporting && report !== undefined && random() < report.share) this.#report(report.intervalMs, login);
  }

  /** The connection ended or was left. */
  offline(): void {
    this.#cancelReport();
  }

  /** An attempt to come back failed: the network was away. */
  failed(): void {
    this.#tuner?.excuse();
  }

  roundTrip(rttMs: number): void {
    this.#rttMs ??= rttMs;
    this.#rttMs += (rttMs - this.#rttMs) * RTT_WEIGHT;
  }

  answered(silenceMs: number): void {
    this.#pings += 1;
    const tuner = this.#tuner;
    if (tuner === undefined) return;
    const hasGrown = tuner.held(silenceMs);
    if (tuner.heldMs > 0) this.#remember(tuner.heldMs);
    if (!hasGrown) return;
    this.#send({ 'heartbeat-ms': `${tuner.intervalMs}` });
    this.#retime(tuner);
  }

  unanswered(silenceMs: number): void {
    this.#pings += 1;
    this.#lost += 1;
    this.#tuner?.lost(silenceMs);
  }

  /** @param inForceMs what the server said at the login */
  #tune(inForceMs: number, bounds: HeartbeatBounds | undefined): void {
    const { heartbeatMemory, network } = this.#options;
    const wantedMs = this.wantedMs ?? 0;
    const isKnown = this.#network === network() && this.#tuner?.intervalMs === inForceMs;
    this.#network = network();
    if (heartbeatMemory === undefined || bounds === undefined || bounds.minMs === bounds.maxMs || inForceMs === 0) {
      this.#tuner = undefined;
      return;
    }
    // A server that gave less than it was asked for would not follow to more.
    const limited = wantedMs > inForceMs ? { ...bounds, maxMs: inForceMs } : bounds;
    if (!isKnown || this.#tuner === undefined) this.#tuner = new HeartbeatTuner(limited, inForceMs);
    else if (this.#tuner.settle()) this.#remember(inForceMs);
    this.#tuner.bounds = limited;
    this.#retime(this.#tuner);
  }

  #remember(intervalMs: number): void {
    this.#options.heartbeatMemory?.set(this.#network, intervalMs);
  }

  /** A longer interval must not make it longer until a dead link is found. */
  #retime({ intervalMs, bounds }: HeartbeatTuner): void {
    this.#link?.heartbeat?.retime(intervalMs, bounds.minMs);
  }

  #report(intervalMs: number, login: LoginMeasured): void {
    const heartbeatMs = this.#tuner?.intervalMs ?? this.#link?.connack.heartbeatMs;
    // A busy link needs no pings, and then nothing would show how long a round trip takes.
    if (this.#rttMs === undefined) this.#link?.heartbeat?.ping();
    this.#send(reportOf({ ...login, rttMs: this.#rttMs, pings: this.#pings, lost: this.#lost, heartbeatMs }));
    this.#pings = this.#lost = 0;
    this.#rttMs = undefined;
    this.#cancelReport = this.#options.clock.setTimer(() => this.#report(intervalMs, {}), intervalMs);
  }

  #send(measurements: StringMap): void {
    this.#link?.send({ type: FrameType.report, measurements });
  }
}

/**
 * The client's feel for its network, over all its connections: how long a link may be silent, and what the server
 * asked to be told. It watches the heartbeats of the connection in use and tells the server of a new interval
 * before it keeps to it, so that the server is never the first to find the silence too long.
 *
 * @see docs/client.md, "Heartbeat" and "Measurements"
 */
import { type Frame, FrameType, type StringMap } from '../../protocol/index.js';
import type { Clock } from '../clock.js';
import type { HeartbeatTimer, HeartbeatWatcher } from '../heartbeat-timer.js';
import type { HeartbeatMemory } from './heartbeat-memory.js';
import { type HeartbeatBounds, HeartbeatTuner } from './heartbeat-tuner.js';
import { type LoginMeasured, Measurements } from './measurements.js';

export interface ReportSettings {
  /** Of the connections that report, 0 to 1. */
  readonly share: number;
  readonly intervalMs: number;
}

/** As the bootstrap told; without bounds the interval is CONNACK's, without `report` nothing is told. */
export interface PulseSettings {
  readonly bounds: HeartbeatBounds | undefined;
  readonly report: ReportSettings | undefined;
}

export interface PulseOptions {
  /** Undefined keeps to the interval of CONNACK. */
  readonly memory: HeartbeatMemory | undefined;
  /** Names the network that the device is on. */
  readonly network: () => string;
  readonly isReporting: boolean;
  readonly random: () => number;
  readonly clock: Clock;
}

/** Of a connection, what this needs. */
export interface PulseLink {
  readonly connack: { readonly heartbeatMs: number };
  /** Undefined when it has ended. */
  readonly heartbeat: HeartbeatTimer | undefined;
  send(frame: Frame): void;
}

export class Pulse implements HeartbeatWatcher {
  readonly #options: PulseOptions;
  readonly #measurements = new Measurements();
  #bounds: HeartbeatBounds | undefined;
  #tuner: HeartbeatTuner | undefined;
  #network = '';
  #link: PulseLink | undefined;
  /** In force on the link. */
  #intervalMs = 0;
  #cancelReport = (): void => {};

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  /** For CONNECT: the interval that this client would keep, if it knows better than the server. */
  get attributes(): StringMap {
    const wantedMs = this.#wantedMs();
    return wantedMs === undefined ? {} : { 'heartbeat-ms': `${wantedMs}` };
  }

  /** Logged in; takes the connection over from the one before. */
  online(link: PulseLink, settings: PulseSettings, login: LoginMeasured): void {
    this.#link = link;
    this.#intervalMs = link.connack.heartbeatMs;
    if (link.heartbeat !== undefined) link.heartbeat.watcher = this;
    this.#tune(settings.bounds);
    const { report } = settings;
    const { isReporting, random } = this.#options;
    if (isReporting && report !== undefined && random() < report.share) this.#report(report, login);
  }

  /** The connection ended or was left. */
  offline(): void {
    this.#cancelReport();
    if (this.#link?.heartbeat !== undefined) this.#link.heartbeat.watcher = undefined;
    this.#link = undefined;
  }

  /** An attempt to come back failed: the network was away. */
  failed(): void {
    this.#tuner?.excuse();
  }

  pinged(): void {
    this.#measurements.pinged();
  }

  roundTrip(rttMs: number): void {
    this.#measurements.roundTrip(rttMs);
  }

  answered(silenceMs: number): void {
    const tuner = this.#tuner;
    if (tuner === undefined) return;
    const hasGrown = tuner.held(silenceMs);
    if (tuner.heldMs > 0) this.#remember(tuner.heldMs);
    if (!hasGrown) return;
    this.#intervalMs = tuner.intervalMs;
    this.#send({ 'heartbeat-ms': `${this.#intervalMs}` });
    this.#retime();
  }

  unanswered(silenceMs: number): void {
    this.#measurements.lost();
    this.#tuner?.lost(silenceMs);
  }

  #wantedMs(): number | undefined {
    const { memory, network } = this.#options;
    return this.#tuner !== undefined && this.#network === network() ? this.#tuner.intervalMs : memory?.get(network());
  }

  #tune(bounds: HeartbeatBounds | undefined): void {
    const { memory, network } = this.#options;
    const wantedMs = this.#wantedMs();
    const isAsBefore =
      this.#network === network() &&
      this.#tuner?.intervalMs === this.#intervalMs &&
      this.#bounds?.minMs === bounds?.minMs &&
      this.#bounds?.maxMs === bounds?.maxMs;
    this.#network = network();
    this.#bounds = bounds;
    if (memory === undefined || bounds === undefined || bounds.minMs === bounds.maxMs || this.#intervalMs === 0) {
      this.#tuner = undefined;
      return;
    }
    if (!isAsBefore) {
      // A server that gave less than it was asked for would not follow to more.
      const maxMs = wantedMs !== undefined && wantedMs > this.#intervalMs ? this.#intervalMs : bounds.maxMs;
      this.#tuner = new HeartbeatTuner({ minMs: bounds.minMs, maxMs }, this.#intervalMs);
    } else if (this.#tuner?.settle()) this.#remember(this.#intervalMs);
    this.#retime();
  }

  #remember(intervalMs: number): void {
    this.#options.memory?.set(this.#network, intervalMs);
  }

  /** A longer interval must not make it longer until a dead link is found. */
  #retime(): void {
    this.#link?.heartbeat?.retime(this.#intervalMs, this.#bounds?.minMs ?? this.#intervalMs);
  }

  #report(settings: ReportSettings, login?: LoginMeasured): void {
    const hasPinged = this.#measurements.pings > 0;
    this.#send(this.#measurements.take(login, this.#intervalMs));
    // A busy link needs no pings, and then nothing would show how long a round trip takes.
    if (!hasPinged) this.#link?.heartbeat?.ping();
    this.#cancelReport = this.#options.clock.setTimer(() => this.#report(settings), settings.intervalMs);
  }

  #send(measurements: StringMap): void {
    this.#link?.send({ type: FrameType.report, measurements });
  }
}

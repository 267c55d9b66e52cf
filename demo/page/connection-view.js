// The state of the connection in words: what it does now, which attempt, how long until the next, how long the last
// cut lasted.
import { duration, wholeSeconds } from './clock-text.js';
import { log } from './event-log.js';
import { clearPulses, showGap } from './line-view.js';
import { wayIn } from './link-choice.js';

const WORDS = {
  idle: 'Not started',
  bootstrapping: 'Connecting',
  connecting: 'Connecting',
  handshaking: 'Connecting',
  online: 'Online',
  waiting: 'Coming back',
  closed: 'Stopped',
};

const DETAILS = {
  idle: '',
  bootstrapping: 'asking the control layer for a token',
  connecting: 'opening a WebSocket',
  handshaking: 'logging in',
  closed: '',
};

const LOOKS = { idle: 'connecting', online: 'online', waiting: 'waiting', closed: 'stopped' };

/** A move away from these begins an attempt. */
const BETWEEN_ATTEMPTS = new Set(['idle', 'waiting', 'closed']);

const $ = (selector) => document.querySelector(selector);

export class ConnectionView {
  #state = 'idle';
  #attempts = 0;
  #offlineAt;
  #onlineAt;
  #nextAttemptAt;
  #closedReason = '';

  constructor() {
    setInterval(() => this.#tick(), 100);
  }

  state(state, previous) {
    this.#state = state;
    document.body.dataset.state = LOOKS[state] ?? 'connecting';
    $('#state').textContent = WORDS[state];
    $('#state-detail').textContent = state === 'closed' ? this.#closedReason : (DETAILS[state] ?? '');
    if (BETWEEN_ATTEMPTS.has(previous) && state !== 'waiting') this.#attempts += 1;
    if (state !== 'online') {
      $('#uptime').textContent = 'offline';
      clearPulses();
      this.#onlineAt = undefined;
    }
    this.#tick();
  }

  online(event) {
    const { connectionId, protocol, accessPoint } = event;
    const now = performance.now();
    $('#connection-id').textContent = connectionId;
    $('#state-detail').textContent = `${protocol} to ${accessPoint.replace(/^wss?:\/\/|\/connect$/g, '')}`;
    $('#way-in').textContent = wayIn(event);
    if (this.#offlineAt !== undefined) {
      const summary = `back after ${duration(now - this.#offlineAt)}, ${attemptCount(this.#attempts)}`;
      $('#last-cut').textContent = summary;
      log('back', summary, 'good');
    }
    this.#offlineAt = undefined;
    this.#onlineAt = now;
    this.#attempts = 0;
    this.#tick();
  }

  /** A connection ended or an attempt failed. */
  offline({ code, reason, nextAttemptMs }) {
    const now = performance.now();
    this.#offlineAt ??= now;
    this.#nextAttemptAt = nextAttemptMs === undefined ? undefined : now + nextAttemptMs;
    this.#closedReason = code === undefined ? reason : `${reason} (${code})`;
    $('#connection-id').textContent = 'none';
    if (this.#state === 'closed') $('#state-detail').textContent = this.#closedReason;
    if (nextAttemptMs !== undefined) {
      log('back-off', `attempt ${this.#attempts + 1} in ${duration(nextAttemptMs)}`, 'warn');
    }
  }

  #tick() {
    const now = performance.now();
    if (this.#onlineAt !== undefined) $('#uptime').textContent = wholeSeconds(now - this.#onlineAt);
    if (this.#state === 'waiting' && this.#nextAttemptAt !== undefined) {
      const left = Math.max(0, this.#nextAttemptAt - now);
      showGap(`${(left / 1_000).toFixed(1)} s`);
      $('#state-detail').textContent = `attempt ${this.#attempts + 1} in ${(left / 1_000).toFixed(1)} s`;
    } else {
      showGap(this.#state === 'closed' ? 'cut' : '');
    }
  }
}

const attemptCount = (count) => (count === 1 ? '1 attempt' : `${count} attempts`);

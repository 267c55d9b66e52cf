/** Route events as the router tells them, and a back-end whose answers the test holds in its hands. */
import type { ConnectionEvent, EventSender, SendResult } from '../../../upstream/index.js';

export function eventOf(deviceId: string, fence: number, changes: Partial<ConnectionEvent> = {}): ConnectionEvent {
  return { type: 'connected', app: 'demo', deviceId, connectionId: `c-${fence}`, fence, atMs: Date.now(), ...changes };
}

/** `a1+` is the connected event of device a's first login, `a1-` its end. */
export function nameOf({ deviceId, fence, type }: ConnectionEvent): string {
  return `${deviceId}${fence}${type === 'connected' ? '+' : '-'}`;
}

export interface SentEvent {
  readonly name: string;
  answer(result: SendResult): void;
}

/** Keeps every attempt open until the test answers it; `auto` answers from then on. */
export class HeldSender implements EventSender {
  readonly sent: SentEvent[] = [];
  auto: SendResult | undefined;
  isDestroyed = false;

  send(event: ConnectionEvent): Promise<SendResult> {
    return new Promise((answer) => {
      this.sent.push({ name: nameOf(event), answer });
      if (this.auto !== undefined) answer(this.auto);
    });
  }

  get names(): string[] {
    return this.sent.map(({ name }) => name);
  }

  /** Answers the n-th attempt and lets the feed go on. */
  async answer(index: number, result: SendResult = { result: 'delivered' }): Promise<void> {
    this.sent[index]?.answer(result);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async destroy(): Promise<void> {
    this.isDestroyed = true;
  }
}

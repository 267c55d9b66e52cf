/**
 * A device for a terminal: the SDK's client with everything it tells turned into events. What is typed comes in through
 * `run`.
 */
import {
  BootstrapError,
  createClient,
  GapReason,
  type NodeClientOptions,
  type Push,
  RequestError,
  type ServedRequest,
  Status,
  type TrunklineClient,
  TrunklineError,
} from '../../sdk/node.js';
import { type DeviceCommand, HELP } from './command-line.js';
import { type DeviceEvent, shownPayload } from './device-event.js';

export interface TerminalDeviceOptions {
  readonly client: NodeClientOptions;
  readonly emit: (event: DeviceEvent) => void;
  /** Told to a back-end that asks this device; without it the answer is UNIMPLEMENTED. */
  readonly answer: string | undefined;
}

export class TerminalDevice {
  readonly #client: TrunklineClient;
  readonly #emit: (event: DeviceEvent) => void;
  readonly #answer: string | undefined;
  readonly #businesses = new Set<string>();
  /** The service said to stay away; resolves with its reason. */
  readonly dismissed: Promise<string>;

  /** @throws {InvalidOptionError} names the option */
  constructor({ client, emit, answer }: TerminalDeviceOptions) {
    this.#client = createClient(client);
    this.#emit = emit;
    this.#answer = answer;
    this.dismissed = this.#listen();
  }

  /** @throws {Error} of the first attempt, when it fails: later ones are repeated by themselves */
  async open(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const forget = this.#client.on('error', ({ error }) => reject(error));
      this.#client
        .connect()
        .then(resolve, reject)
        .finally(() => forget());
    });
    this.#client.on('error', ({ error }) => this.#fail(error));
  }

  close(): void {
    this.#client.close();
  }

  /** @returns whether it came true */
  async run(command: Exclude<DeviceCommand, { verb: 'quit' }>): Promise<boolean> {
    try {
      await this.#do(command);
      return true;
    } catch (error) {
      if (error instanceof RequestError && command.verb === 'request') {
        const { status, metadata, payload } = error;
        const { business, method } = command;
        this.#emit({ type: 'response', business, method, status, metadata, ...shownPayload(payload) });
      } else {
        this.#fail(error as Error);
      }
      return false;
    }
  }

  async #do(command: Exclude<DeviceCommand, { verb: 'quit' }>): Promise<void> {
    switch (command.verb) {
      case 'request': {
        const { business, method, payload } = command;
        const reply = await this.#client.business(business).request(method, payload);
        const { status, metadata } = reply;
        return this.#emit({ type: 'response', business, method, status, metadata, ...shownPayload(reply.payload) });
      }
      case 'join':
        await this.#client.business(command.business).join(command.group);
        return this.#emit({ type: 'joined', business: command.business, group: command.group });
      case 'leave':
        await this.#client.business(command.business).leave(command.group);
        return this.#emit({ type: 'left', business: command.business, group: command.group });
      case 'state':
        return this.#emit({ type: 'state', state: this.#client.state });
      case 'help':
        return this.#emit({ type: 'info', message: HELP });
    }
  }

  #listen(): Promise<string> {
    const client = this.#client;
    client.on('state', ({ state }) => {
      if (state !== 'online' && state !== 'closed') this.#emit({ type: 'state', state });
    });
    client.on('online', (event) => {
      // Before the first push of this connection can come.
      for (const business of event.businesses) this.#watch(business);
      const { deviceId, connectionId, protocol, accessPoint, businesses } = event;
      this.#emit({ type: 'online', deviceId, connectionId, protocol, accessPoint, businesses });
    });
    client.on('gap', ({ business, group, dropped, reason }) => {
      if (reason === GapReason.membershipEnded) this.#emit({ type: 'left', business, group });
      else this.#emit({ type: 'gap', business, group, dropped });
    });
    client.on('goaway', ({ moveInMs }) => this.#emit({ type: 'goaway', moveInMs }));
    client.on('rejoin-failed', ({ error }) => this.#fail(error));
    return new Promise((resolve) => {
      client.on('offline', ({ code, reason, nextAttemptMs }) => {
        this.#emit({ type: 'offline', code, reason, nextAttemptMs });
        if (nextAttemptMs === undefined) resolve(`${reason}${code === undefined ? '' : ` (${code})`}`);
      });
    });
  }

  #watch(business: string): void {
    if (this.#businesses.has(business)) return;
    this.#businesses.add(business);
    const channel = this.#client.business(business);
    channel.onPush((push) => this.#pushed(business, push));
    channel.onRequest((request) => this.#asked(business, request));
  }

  #pushed(business: string, { messageId, group, offset, metadata, payload }: Push): void {
    const origin = group === undefined ? {} : { group, offset };
    this.#emit({ type: 'push', business, messageId, ...origin, metadata, ...shownPayload(payload) });
  }

  #asked(business: string, { method, metadata, payload }: ServedRequest) {
    this.#emit({ type: 'request', business, method, metadata, ...shownPayload(payload) });
    return this.#answer === undefined ? { status: Status.unimplemented } : { payload: this.#answer };
  }

  #fail(error: Error): void {
    const code = error instanceof TrunklineError ? error.code : 'TRK_INTERNAL';
    const cause = error instanceof BootstrapError && error.cause instanceof Error ? ` (${reasonOf(error.cause)})` : '';
    this.#emit({ type: 'error', code, message: `${error.message}${cause}` });
  }
}

/** Node's `fetch` hides the system's word in a cause. */
export function reasonOf(error: Error): string {
  const inner = (error.cause ?? error) as NodeJS.ErrnoException;
  return inner.code ?? inner.message;
}

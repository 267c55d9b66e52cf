/**
 * The channels of groups that this node listens to, opened for the first local listener and closed after the last.
 * What is asked of one channel is done one after the other, so a wish to listen again never loses against the end of
 * the listening before it. A channel that could not be opened, and is still wanted, is tried again.
 */
import type { Bus } from './engine-ports.js';

const RETRY_MS = 1_000;

interface Channel {
  readonly businessId: number;
  readonly group: string;
  isWanted: boolean;
  /** Rejects when the channel could not be opened. */
  opening: Promise<void>;
  /** Ends, never rejecting, when all that was asked is done. */
  done: Promise<void>;
  /** Something that was asked is not done. */
  isBusy: boolean;
}

export class GroupChannels {
  readonly #bus: Pick<Bus, 'listen' | 'unlisten'>;
  readonly #onError: (error: unknown) => void;
  readonly #channels = new Map<string, Channel>();
  #isClosed = false;

  constructor(bus: Pick<Bus, 'listen' | 'unlisten'>, onError: (error: unknown) => void) {
    this.#bus = bus;
    this.#onError = onError;
  }

  /**
   * What is multicast after it resolves reaches this node.
   *
   * @throws {EngineUnavailableError}
   */
  open(businessId: number, group: string): Promise<void> {
    const key = keyOf(businessId, group);
    const known = this.#channels.get(key);
    if (known?.isWanted === true) return known.opening;
    const done = Promise.resolve();
    const channel = known ?? { businessId, group, isWanted: true, opening: done, done, isBusy: false };
    this.#channels.set(key, channel);
    channel.isWanted = true;
    this.#listen(channel);
    return channel.opening;
  }

  close(businessId: number, group: string): void {
    const key = keyOf(businessId, group);
    const channel = this.#channels.get(key);
    if (channel === undefined || !channel.isWanted) return;
    channel.isWanted = false;
    channel.isBusy = true;
    const done = channel.done
      .then(() => (channel.isWanted ? undefined : this.#bus.unlisten(businessId, group)))
      .catch(this.#onError)
      .then(() => {
        // Whoever asked since goes on with this channel.
        if (!channel.isWanted && channel.done === done) this.#channels.delete(key);
      });
    channel.done = done;
  }

  /** Nothing is tried again any more. */
  stop(): void {
    this.#isClosed = true;
  }

  #listen(channel: Channel): void {
    const listen = () => this.#bus.listen(channel.businessId, channel.group);
    const opening = channel.isBusy ? channel.done.then(listen) : listen();
    channel.opening = opening;
    channel.isBusy = true;
    const done = opening
      .catch((error) => {
        this.#onError(error);
        setTimeout(() => {
          if (channel.isWanted && channel.opening === opening && !this.#isClosed) this.#listen(channel);
        }, RETRY_MS).unref();
      })
      .then(() => {
        if (channel.done === done) channel.isBusy = false;
      });
    channel.done = done;
  }
}

function keyOf(businessId: number, group: string): string {
  return `${businessId} ${group}`;
}

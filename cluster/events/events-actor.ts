/**
 * Tells businesses who of their devices comes and goes: takes the router's route events apart by business and gives
 * each its feed. `route` is called by the router directly, because a message per login would cost more than the work.
 *
 * @see docs/integration.md, "Connection events"
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RouteEvent } from '../../actors/index.js';
import type { BusinessConfig, NodeConfig } from '../../config/index.js';
import { createEventSender } from '../../upstream/index.js';
import { within } from '../within.js';
import { EventFeed, type EventOutcome, type FeedLimits, type FeedTarget } from './event-feed.js';

/** Connections to one business's back-end for events, whatever it takes for requests. */
export const MAX_EVENT_CONNECTIONS = 32;

/** The last departures of a drain reach the router a moment after the workers counted their connections. */
const LINGER_MS = 100;

export interface SettledEvent {
  readonly business: string;
  readonly type: RouteEvent['type'];
  readonly outcome: EventOutcome;
}

export interface EventsActorOptions {
  readonly config: Pick<NodeConfig, 'businesses'>;
  /** Counts each event once per business. */
  readonly onSettled: (settled: SettledEvent) => void;
  readonly limits?: Partial<FeedLimits>;
}

interface Subscriber {
  readonly name: string;
  readonly feed: EventFeed;
  wants: BusinessConfig['events'];
  /** What the feed's target was made of, to see whether it changed. */
  targetKey: string;
}

export default class EventsActor {
  readonly #options: EventsActorOptions;
  /** By business id. */
  readonly #subscribers = new Map<number, Subscriber>();

  constructor(options: EventsActorOptions) {
    this.#options = options;
    this.reconfigure(options);
  }

  /** Hands one login or its end to each business that asked for it. Never throws. */
  route(event: RouteEvent): void {
    if (this.#subscribers.size === 0) return;
    for (const businessId of event.businesses) {
      const subscriber = this.#subscribers.get(businessId);
      if (subscriber?.wants[event.type] === true) subscriber.feed.add(event);
    }
  }

  /** Events that wait, by business. */
  pending(): Record<string, number> {
    return Object.fromEntries([...this.#subscribers.values()].map(({ name, feed }) => [name, feed.pending]));
  }

  /** Another configuration: waiting events go where it says; those of a business that wants none any more are lost. */
  reconfigure({ config }: { readonly config: Pick<NodeConfig, 'businesses'> }): void {
    const wanted = new Map(Object.entries(config.businesses).map(([name, business]) => [business.id, name]));
    for (const [id, { feed }] of this.#subscribers) {
      const business = config.businesses[wanted.get(id) ?? ''];
      if (business !== undefined && wantsEvents(business)) continue;
      this.#subscribers.delete(id);
      void feed.stop();
    }
    for (const [name, business] of Object.entries(config.businesses)) {
      if (wantsEvents(business)) this.#subscribe(name, business);
    }
  }

  /** Sends what waits, as far as the time goes; the rest is lost, and counted. */
  async stop({ withinMs = 0 }: { readonly withinMs?: number } = {}): Promise<void> {
    const feeds = [...this.#subscribers.values()].map(({ feed }) => feed);
    if (feeds.length === 0) return;
    const lingerMs = Math.min(LINGER_MS, withinMs / 2);
    await delay(lingerMs);
    await within(withinMs - lingerMs, Promise.all(feeds.map((feed) => feed.idle())));
    await Promise.all(feeds.map((feed) => feed.stop()));
  }

  #subscribe(name: string, business: BusinessConfig): void {
    const { id, events } = business;
    const targetKey = JSON.stringify(business.upstream);
    const known = this.#subscribers.get(id);
    if (known === undefined) {
      const feed = new EventFeed({
        target: targetOf(name, business),
        onSettled: ({ type }, outcome) => this.#options.onSettled({ business: name, type, outcome }),
        ...(this.#options.limits === undefined ? {} : { limits: this.#options.limits }),
      });
      this.#subscribers.set(id, { name, feed, wants: events, targetKey });
      return;
    }
    known.wants = events;
    if (known.targetKey === targetKey) return;
    known.targetKey = targetKey;
    known.feed.retarget(targetOf(name, business));
  }
}

/** Connections that this business's events may take. */
export function eventConnections(business: BusinessConfig): number {
  return wantsEvents(business) ? Math.min(business.upstream?.concurrency ?? 0, MAX_EVENT_CONNECTIONS) : 0;
}

function wantsEvents({ events, upstream }: BusinessConfig): boolean {
  return upstream !== undefined && (events.connected || events.disconnected);
}

function targetOf(business: string, { upstream }: BusinessConfig): FeedTarget {
  if (upstream === undefined) throw new TypeError(`${business} has no upstream`);
  const { url, signingSecret, deadlineMs, breaker } = upstream;
  const concurrency = Math.min(upstream.concurrency, MAX_EVENT_CONNECTIONS);
  return {
    sender: createEventSender({ business, url, signingSecret, connections: concurrency, deadlineMs }),
    concurrency,
    breaker,
  };
}

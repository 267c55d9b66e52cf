export { DEFAULT_FEED_LIMITS, type EventOutcome, type FeedLimits } from './event-feed.js';
export { default as EventsActor, eventConnections, MAX_EVENT_CONNECTIONS, type SettledEvent } from './events-actor.js';

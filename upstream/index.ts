export { type BackEndClient, createBackEndClient } from './back-end-client.js';
export { CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.js';
export { type ConnectionEvent, eventId } from './connection-event.js';
export { InvalidUpstreamOptionError } from './errors.js';
export { createEventSender, type EventSender, type EventSenderOptions, type SendResult } from './event-sender.js';
export type { Clock, Outcome, OutcomeKind, UpstreamCall, UpstreamOptions, UpstreamReply } from './options.js';
export { REASON_KEY, RETRY_AFTER_KEY } from './own-replies.js';
export { MAX_REQUEST_METADATA_BYTES } from './request-metadata.js';

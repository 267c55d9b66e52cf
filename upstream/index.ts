export { type BackEndClient, createBackEndClient } from './back-end-client.js';
export { InvalidUpstreamOptionError } from './errors.js';
export type { Clock, Outcome, OutcomeKind, UpstreamCall, UpstreamOptions, UpstreamReply } from './options.js';
export { REASON_KEY, RETRY_AFTER_KEY } from './own-replies.js';
export { MAX_REQUEST_METADATA_BYTES } from './request-metadata.js';

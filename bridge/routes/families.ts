/**
 * What every family of routes is built from, and the parts of its description that are the same in each.
 */

import { problemResponses } from '../../http/index.js';
import type { Callers } from '../callers.js';
import type { IdempotentAnswers } from '../idempotency.js';
import type { MessageFactory } from '../message.js';
import type { RoutingService } from '../routing.js';

export interface RouteParts {
  readonly routing: RoutingService;
  readonly callers: Callers;
  readonly messages: MessageFactory;
  readonly answers: IdempotentAnswers;
}

export const BUSINESS_KEY = [{ businessKey: [] }];
export const APP_KEY = [{ appKey: [] }];
export const NO_KEY: never[] = [];

export const unauthenticated = problemResponses({ 401: 'No key, or one that is not known here' });
export const invalid = problemResponses({ 400: 'A field is not in its form; `errors` names each' });
export const notServed = problemResponses({ 403: 'The key does not reach this app' });
export const tooLarge = problemResponses({ 413: 'The body, or the frame it makes, is too large' });
export const wrongMediaType = problemResponses({ 415: 'The body is of a media type that this route does not take' });
export const noGroup = problemResponses({ 404: 'No such group in this business' });

const RETRY_AFTER = { 'Retry-After': { type: 'integer', description: 'Seconds to wait' } };
const tooMany = (description: string) => ({
  429: { ...problemResponses({ 429: description })[429], headers: RETRY_AFTER },
});
/** Of every route that takes a business's key. */
export const limited = tooMany('This key makes more requests than it may; nothing was done');
/** Of those that push or call as well, in place of `limited`. */
export const overloaded = tooMany(
  'Too many pushes wait for an answer, or this key makes more requests than it may; nothing was sent',
);
export const replayable = problemResponses({ 422: 'The idempotency key belongs to another request' });
export const notReady = {
  503: { ...problemResponses({ 503: 'Starting, draining, or an access worker is down' })[503], headers: RETRY_AFTER },
};

/** The refusals of a route that takes a body and a business's key. */
export const withBody = { ...invalid, ...unauthenticated, ...tooLarge, ...wrongMediaType, ...limited };
/** The same of one that pushes. */
export const pushing = { ...withBody, ...overloaded, ...replayable };

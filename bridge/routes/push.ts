/**
 * Pushes: to one device, to many, to a group. All at most once; what became of each is in the body, the HTTP status is
 * 200 whenever the request was understood.
 */

import type { HttpApp } from '../../http/index.js';
import type { DeliveryResult } from '../routing.js';
import {
  appParams,
  batchAnswer,
  batchBody,
  deviceParams,
  groupParams,
  messageBody,
  multicastAnswer,
  unicastAnswer,
} from '../schemas.js';
import { BUSINESS_KEY, noGroup, notServed, overloaded, type RouteParts, withBody } from './families.js';

const tags = ['push'];
const security = BUSINESS_KEY;

export function pushRoutes(app: HttpApp, { routing, callers, messages }: RouteParts): void {
  app.route({
    method: 'POST',
    url: '/v1/apps/:app/devices/:device/push',
    schema: {
      operationId: 'pushToDevice',
      summary: 'Push to one device',
      description: 'Unicast, at most once. Answers when the outcome is known, within about two seconds.',
      tags,
      security,
      params: deviceParams,
      body: messageBody,
      response: { 200: unicastAnswer.describe('The outcome'), ...withBody, ...notServed, ...overloaded },
    },
    handler: async (request) => {
      const { app, device } = request.params;
      const business = callers.businessFor(request.subject, app);
      const message = messages.create(business.id, request.body);
      const [outcome] = await routing.push([{ app, deviceId: device }], message);
      return { messageId: message.messageId, ...(outcome ?? UNANSWERED) };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/apps/:app/push',
    schema: {
      operationId: 'pushToDevices',
      summary: 'Push one message to many devices',
      description: 'Batch unicast, at most once, with a result per device. A device that is named twice gets it twice.',
      tags,
      security,
      params: appParams,
      body: batchBody,
      response: { 200: batchAnswer.describe('The outcomes'), ...withBody, ...notServed, ...overloaded },
    },
    handler: async (request) => {
      const { app } = request.params;
      const { devices } = request.body;
      const business = callers.businessFor(request.subject, app);
      const message = messages.create(business.id, request.body);
      const keys = devices.map((deviceId) => ({ app, deviceId }));
      const outcomes = await routing.push(keys, message);
      const results = devices.map((device, i) => ({ device, ...(outcomes[i] ?? UNANSWERED) }));
      return { messageId: message.messageId, results };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/groups/:group/push',
    schema: {
      operationId: 'pushToGroup',
      summary: 'Push one message to every member of a group',
      description: 'Multicast, at most once. Answers when the message is queued for the members.',
      tags,
      security,
      params: groupParams,
      body: messageBody,
      response: { 200: multicastAnswer.describe('How many it was queued for'), ...withBody, ...noGroup, ...overloaded },
    },
    handler: async (request) => {
      const { group } = request.params;
      const business = callers.business(request.subject);
      const message = messages.create(business.id, request.body, group);
      const { offset, members, unanswered } = await routing.multicast(group, message);
      return { messageId: message.messageId, offset, members, unanswered };
    },
  });
}

/** The contract is one result a device; were one missing, nobody could say more. */
const UNANSWERED: DeliveryResult = { result: 'unknown' };

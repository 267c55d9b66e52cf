/**
 * Pushes: to one device, to many, to a user, to a group, to everybody. All at most once; what became of each is in the
 * body, the HTTP status is 200 whenever the request was understood.
 */

import type { HttpApp } from '../../http/index.js';
import { messageContent, messageHeaders, messageOf } from '../raw-message.js';
import { replaying } from '../replay.js';
import type { DeliveryResult } from '../routing.js';
import {
  appParams,
  batchAnswer,
  batchBody,
  broadcastAnswer,
  deviceParams,
  groupParams,
  multicastAnswer,
  unicastAnswer,
  userDelivery,
  userParams,
} from '../schemas.js';
import { BUSINESS_KEY, noGroup, notServed, pushing, type RouteParts } from './families.js';

const tags = ['push'];
const security = BUSINESS_KEY;

export function pushRoutes(app: HttpApp, { routing, callers, messages, answers }: RouteParts): void {
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
      headers: messageHeaders,
      body: messageContent,
      response: { 200: unicastAnswer.describe('The outcome'), ...pushing, ...notServed },
    },
    handler: async (request, reply) => {
      const { app, device } = request.params;
      const business = callers.businessFor(request.subject, app);
      const message = messageOf(messages, business.id, request.body, request.headers);
      return replaying(answers, request, reply, async () => {
        const [outcome] = await routing.push([{ app, deviceId: device }], message);
        return { messageId: message.messageId, ...(outcome ?? UNANSWERED) };
      });
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
      headers: messageHeaders.pick({ 'idempotency-key': true }),
      body: batchBody,
      response: { 200: batchAnswer.describe('The outcomes'), ...pushing, ...notServed },
    },
    handler: async (request, reply) => {
      const { app } = request.params;
      const { devices } = request.body;
      const business = callers.businessFor(request.subject, app);
      const message = messages.create(business.id, request.body);
      return replaying(answers, request, reply, async () => {
        const keys = devices.map((deviceId) => ({ app, deviceId }));
        const outcomes = await routing.push(keys, message);
        const results = devices.map((device, i) => ({ device, ...(outcomes[i] ?? UNANSWERED) }));
        return { messageId: message.messageId, results };
      });
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/apps/:app/users/:uid/push',
    schema: {
      operationId: 'pushToUser',
      summary: 'Push to every device that a user is online with',
      tags,
      security,
      params: userParams,
      headers: messageHeaders,
      body: messageContent,
      response: { 200: userDelivery.describe('One outcome a device'), ...pushing, ...notServed },
    },
    handler: async (request, reply) => {
      const { app, uid } = request.params;
      const business = callers.businessFor(request.subject, app);
      const message = messageOf(messages, business.id, request.body, request.headers);
      return replaying(answers, request, reply, async () => {
        const [delivery] = await routing.pushToUsers(app, [uid], message);
        return { messageId: message.messageId, user: uid, devices: [...(delivery?.devices ?? [])] };
      });
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/apps/:app/broadcast',
    schema: {
      operationId: 'broadcast',
      summary: 'Push one message to every online device of an app',
      description:
        'Reaches the devices that were granted the business. Answers when the last outcome is known, which takes seconds ' +
        'for many devices; a busy node makes it slower, not partial.',
      tags,
      security,
      params: appParams,
      headers: messageHeaders,
      body: messageContent,
      response: { 200: broadcastAnswer.describe('How many of them'), ...pushing, ...notServed },
    },
    handler: async (request, reply) => {
      const { app } = request.params;
      const business = callers.businessFor(request.subject, app);
      const message = messageOf(messages, business.id, request.body, request.headers);
      return replaying(answers, request, reply, async () => {
        const { devices, results } = await routing.broadcast(app, message);
        return { messageId: message.messageId, devices, results };
      });
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
      headers: messageHeaders,
      body: messageContent,
      response: { 200: multicastAnswer.describe('How many it was queued for'), ...pushing, ...noGroup },
    },
    handler: async (request, reply) => {
      const { group } = request.params;
      const business = callers.business(request.subject);
      const message = messageOf(messages, business.id, request.body, request.headers, group);
      return replaying(answers, request, reply, async () => {
        const { offset, members, unanswered } = await routing.multicast(group, message);
        return { messageId: message.messageId, offset, members, unanswered };
      });
    },
  });
}

/** The contract is one result a device; were one missing, nobody could say more. */
const UNANSWERED: DeliveryResult = { result: 'unknown' };

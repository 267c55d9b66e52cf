/**
 * The private listener's server: the bridge's routes in three scopes (business key, app key, no key) and whatever the
 * composition root mounts beside them.
 */
import type { ServiceContext } from '../cluster/index.js';
import { createHttpServer, describeWithOpenApi, type HttpApp, type HttpPlugin, requireKey } from '../http/index.js';
import { Callers } from './callers.js';
import { MessageFactory } from './message.js';
import { connectionRoutes } from './routes/connections.js';
import { deviceRoutes } from './routes/devices.js';
import type { RouteParts } from './routes/families.js';
import { groupRoutes } from './routes/groups.js';
import { operationRoutes } from './routes/operations.js';
import { pushRoutes } from './routes/push.js';

export interface BridgeOptions {
  /** Mounted on the private listener; their routes appear in the OpenAPI document and bring their own key check. */
  readonly plugins?: readonly HttpPlugin[];
}

/** A batch's thousand device ids, at worst with every character escaped. */
const BATCH_ALLOWANCE_BYTES = 512 * 1024;

/** JSON may double a payload: base64 takes a third more, a quoted quote takes two. */
const JSON_GROWTH = 2;

/** @returns a server that does not listen yet */
export async function createBridgeServer(context: ServiceContext, options: BridgeOptions = {}): Promise<HttpApp> {
  const { config, log, routing, node } = context;
  const { frameBytes } = config.limits;
  const app = createHttpServer({ log, maxBodyBytes: JSON_GROWTH * frameBytes + BATCH_ALLOWANCE_BYTES });
  const callers = new Callers(config);
  const parts: RouteParts = { routing, callers, messages: new MessageFactory({ maxFrameBytes: frameBytes }) };

  await describeWithOpenApi(app, DESCRIPTION);
  await app.register(async (scope: HttpApp) => {
    requireKey(scope, callers.businessKeys);
    pushRoutes(scope, parts);
    groupRoutes(scope, parts);
    deviceRoutes(scope, parts);
  });
  await app.register(async (scope: HttpApp) => {
    requireKey(scope, callers.appKeys);
    connectionRoutes(scope, parts);
  });
  operationRoutes(app, node);
  for (const plugin of options.plugins ?? []) await app.register(plugin);
  return app;
}

const DESCRIPTION = {
  title: 'Trunkline bridge',
  version: '1.0.0',
  description:
    'What a business’s back-end does to its devices and groups. The HTTP status is 200 whenever the request was ' +
    'understood; outcomes are in the body. Every error is a problem document (RFC 9457).',
  tags: [
    { name: 'push', description: 'Messages to devices and groups' },
    { name: 'groups', description: 'Named sets of devices' },
    { name: 'devices', description: 'Presence, withdrawal of a grant, closing a connection' },
    { name: 'operations', description: 'Health, figures, this document' },
  ],
  keys: {
    businessKey: 'A key of the business; it reaches the devices of the apps that the business serves',
    appKey: 'A key of the app’s own back-end',
  },
};

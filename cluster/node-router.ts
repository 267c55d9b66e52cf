/** The router of a node, put together from the engine, the other nodes, and who wants to know what it does. */
import {
  type Bus,
  createGatherWindow,
  type DeliveryResult,
  LoadMeter,
  type Peers,
  type RouteEvent,
  RouterActor,
  type RouterMailbox,
} from '../actors/index.js';
import type { CurrentConfig } from '../config/index.js';
import type { Engine } from './engines/contract/index.js';
import type { Logger } from './logger.js';

/** What access workers send to their parent, the root, is the router's. */
export const ROUTER_TOPICS: readonly (keyof RouterMailbox)[] = [
  'claimRoutes',
  'releaseRoutes',
  'restoreRoutes',
  'listenToGroup',
  'groupSizes',
  'outcomes',
  'callReplies',
];

export interface NodeRouterOptions {
  readonly current: CurrentConfig;
  readonly engine: Pick<Engine, 'routes' | 'groups'>;
  readonly incarnation: string;
  readonly log: Logger;
  readonly bus: Bus;
  readonly peers: Peers;
  readonly onResult: (result: DeliveryResult) => void;
  readonly onRoute: (event: RouteEvent) => void;
}

export function createNodeRouter({ current, engine, log, ...options }: NodeRouterOptions): RouterActor {
  const now = () => performance.now();
  return new RouterActor({
    ...options,
    routes: engine.routes,
    groups: engine.groups,
    get maxPending() {
      return current.value.limits.pendingPushes;
    },
    onError: (error) => log.warn('message to an access worker failed', { error: String(error) }),
    gatherWindow: createGatherWindow(new LoadMeter(), now),
    now,
  });
}

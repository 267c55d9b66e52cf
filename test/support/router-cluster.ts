/** Several routers in one process, each a node of its own, on shared routes and groups and one bus in memory. */
import type { ExecutionContext } from 'ava';
import { generationOf } from '../../actors/connection-id.js';
import type { RouteStore } from '../../actors/engine-ports.js';
import { EngineUnavailableError } from '../../actors/errors.js';
import type { RouteEvent } from '../../actors/route-events.js';
import RouterActor from '../../actors/router-actor.js';
import type { RouteClaim } from '../../actors/router-link.js';
import { EmbeddedGroups } from '../../cluster/engines/embedded/embedded-groups.js';
import { EmbeddedRoutes } from '../../cluster/engines/embedded/embedded-routes.js';
import { FakeAccessWorker } from './fake-access-worker.js';
import { MemoryBus } from './memory-bus.js';

export const BUSINESS = 7;

export interface TestRouter {
  readonly incarnation: string;
  readonly router: RouterActor;
  /** Access worker 0, and 1. */
  readonly workers: readonly [FakeAccessWorker, FakeAccessWorker];
  readonly events: RouteEvent[];
  readonly errors: unknown[];
  /** @returns the fence; -1 when the engine was away */
  login(deviceId: string, serial: number, own?: Partial<RouteClaim> & { readonly worker?: number }): Promise<number>;
}

export class RouterCluster {
  readonly routes = new EmbeddedRoutes(() => Date.now() * 1_000);
  readonly groups = new EmbeddedGroups(Date.now);
  readonly bus = new MemoryBus(this.groups);
  readonly nodes: TestRouter[] = [];
  /** Nodes that the others take for gone. */
  readonly gone = new Set<string>();
  /** Nodes that were found unreachable. */
  readonly unreachable: string[] = [];
  /** Every question about routes fails with it. */
  engineFault: EngineUnavailableError | undefined;
  #nowMs = 0;

  constructor(t: ExecutionContext, count: number, maxPending = 1_000) {
    for (let i = 0; i < count; i++) this.nodes.push(this.#start(i, maxPending));
    // The routers' own timers alone would not keep the process.
    const keeper = setInterval(() => {}, 50);
    t.teardown(() => {
      clearInterval(keeper);
      for (const { router } of this.nodes) router.destroy();
    });
  }

  /** Moves the routers' clock. */
  at(ms: number): void {
    this.#nowMs = ms;
  }

  #start(index: number, maxPending: number): TestRouter {
    const incarnation = `00000000000000a${index}`;
    const events: RouteEvent[] = [];
    const errors: unknown[] = [];
    const router = new RouterActor({
      incarnation,
      routes: this.#faulty(this.routes),
      groups: this.groups,
      bus: this.bus.of(incarnation),
      peers: {
        has: ({ incarnation: other, serial }) => !this.gone.has(other) && generationOf(serial) === 0,
        standing: (other) => (this.gone.has(other) ? 'gone' : 'live'),
        unreachable: (other) => void this.unreachable.push(other),
      },
      maxPending,
      onError: (error) => errors.push(error),
      now: () => this.#nowMs,
      onResult: () => {},
      onRoute: (event) => events.push(event),
    });
    void router.open();
    const workers = [new FakeAccessWorker(0, router), new FakeAccessWorker(1, router)] as const;
    const login: TestRouter['login'] = async (deviceId, serial, { worker = 0, ...own } = {}) => {
      const claim = { serial, app: 'demo', deviceId, uid: undefined, grants: [BUSINESS], ...own };
      const reply = await router.claimRoutes({ worker, claims: [claim] });
      return 'fences' in reply ? (reply.fences[0] as number) : -1;
    };
    return { incarnation, router, workers, events, errors, login };
  }

  /** The routes, unless the engine is away; whatever was asked was done when it may have arrived. */
  #faulty(routes: RouteStore): RouteStore {
    const guard = <Args extends unknown[], Result>(method: (...args: Args) => Promise<Result>) => {
      return async (...args: Args): Promise<Result> => {
        const fault = this.engineFault;
        if (fault !== undefined && !fault.mayHaveArrived) throw fault;
        const result = await method.apply(routes, args);
        if (fault !== undefined) throw fault;
        return result;
      };
    };
    return {
      claim: guard(routes.claim),
      restore: guard(routes.restore),
      release: guard(routes.release),
      lookup: guard(routes.lookup),
      lookupUsers: guard(routes.lookupUsers),
      list: guard(routes.list),
      withdrawGrant: guard(routes.withdrawGrant),
      sweep: guard(routes.sweep),
    };
  }
}

export function engineAway(mayHaveArrived = false): EngineUnavailableError {
  return new EngineUnavailableError(mayHaveArrived);
}

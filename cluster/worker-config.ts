/**
 * What of the configuration the sessions of one access worker see, at its start and again at every reload. Everything
 * sessions share hangs on the worker or on a business, so new values are put in place and the sessions find them; only
 * what was withdrawn is taken to them.
 */
import type { Business, DownstreamScheduler, Worker } from '../actors/index.js';
import { type BusinessConfig, heartbeatBounds, type NodeConfig } from '../config/index.js';
import { CloseCode } from '../protocol/index.js';
import type { SyncTokenVerifier } from '../tokens/index.js';

type Reconfigured = 'limits' | 'heartbeat' | 'isMeasuring';

/** The worker as its owner sees it: what a reload replaces can be written. */
export type ConfigurableWorker = Omit<Worker, Reconfigured | 'businesses' | 'verifier'> & {
  -readonly [K in Reconfigured]: Worker[K];
} & { readonly businesses: Map<number, Business>; readonly verifier: SyncTokenVerifier };

export function sharedSettings({ limits, heartbeat, report }: NodeConfig): Pick<Worker, Reconfigured> {
  return {
    limits,
    heartbeat: { ...heartbeatBounds(heartbeat), maxMissed: heartbeat.maxMissed },
    isMeasuring: report.share > 0,
  };
}

export function createBusinesses({ businesses }: NodeConfig, scheduler: DownstreamScheduler): Map<number, Business> {
  return new Map(
    Object.entries(businesses).map(([name, config]) => [config.id, createBusiness(name, config, scheduler)]),
  );
}

/** A reload: connections live on; a business that no longer serves an app loses its grants, and so does one that is gone. */
export function takeConfig(worker: ConfigurableWorker, config: NodeConfig): void {
  Object.assign(worker, sharedSettings(config));
  takeBusinesses(worker, config);
  worker.grants.reset(worker.businesses.values());
  worker.verifier.useApps(Object.keys(config.apps));
  for (const session of [...worker.sessions.values()]) {
    if (!Object.hasOwn(config.apps, session.claims.app)) session.close(CloseCode.invalidToken, 'app is gone');
    else session.keepGrantable();
  }
}

function takeBusinesses({ businesses, scheduler }: ConfigurableWorker, config: NodeConfig): void {
  const gone = new Set(businesses.keys());
  for (const [name, settings] of Object.entries(config.businesses)) {
    gone.delete(settings.id);
    const known = businesses.get(settings.id);
    if (known === undefined) {
      businesses.set(settings.id, createBusiness(name, settings, scheduler));
      continue;
    }
    // Sessions and groups hold this very object.
    Object.assign(known, settingsOf(settings));
    known.lane.configure(settings.downstream);
  }
  for (const id of gone) {
    const business = businesses.get(id);
    if (business !== undefined) scheduler.removeLane(business.lane);
    businesses.delete(id);
  }
}

function createBusiness(name: string, config: BusinessConfig, scheduler: DownstreamScheduler): Business {
  return { id: config.id, name, ...settingsOf(config), lane: scheduler.addLane(config.downstream) };
}

function settingsOf({ apps, downstream, groups }: BusinessConfig): Omit<Business, 'id' | 'name' | 'lane'> {
  return {
    apps: new Set(apps),
    maxQueueBytes: downstream.maxQueueBytes,
    slowConsumer: downstream.slowConsumer,
    createGroupOnJoin: groups.createOnJoin,
    openGroups: groups.open,
  };
}

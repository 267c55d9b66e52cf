/** A business of a worker, for parts that are tested without one. */
import type { Business } from '../../actors/business.js';
import { DownstreamScheduler, type Lane } from '../../actors/downstream-scheduler.js';
import { LoadMeter } from '../../actors/load-meter.js';

export function testLane(scheduler = new DownstreamScheduler(new LoadMeter(), () => performance.now())): Lane {
  return scheduler.addLane({ weight: 10, maxWindowMs: 0 });
}

export function testBusiness(own: Partial<Business> = {}): Business {
  return {
    id: 7,
    name: 'live',
    apps: new Set(['demo']),
    maxQueueBytes: 1_000,
    slowConsumer: 'disconnect',
    createGroupOnJoin: false,
    openGroups: [],
    lane: testLane(),
    ...own,
  };
}

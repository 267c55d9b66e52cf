/** What the router asks of an access worker, done to the worker's sessions and groups. */
import { deliverBatch } from '../../actors/deliver.js';
import { type Restated, restateRoutes } from '../../actors/restate.js';
import type { GroupStream } from '../../actors/router-link.js';
import type { MembershipResult } from '../../actors/routing-service.js';
import type { Worker } from '../../actors/worker.js';

interface MembershipChange {
  readonly businessId: number;
  readonly group: string;
  readonly stream: GroupStream;
  readonly serials: readonly number[];
}

export class TestMailbox {
  readonly #worker: Worker;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  deliver({ batch }: { batch: Uint8Array }): void {
    deliverBatch(this.#worker, batch);
  }

  closeConnections({ connections }: { connections: { serial: number; code: number; reason: string }[] }): void {
    for (const { serial, code, reason } of connections) this.#worker.sessions.get(serial)?.close(code, reason);
  }

  revokeGrant({ serial, businessId }: { serial: number; businessId: number }): void {
    const business = this.#worker.businesses.get(businessId);
    if (business !== undefined) this.#worker.sessions.get(serial)?.revoke(business);
  }

  joinMembers({ businessId, group, stream, serials }: MembershipChange): { results: MembershipResult[] } {
    const business = this.#worker.businesses.get(businessId);
    const results = serials.map((serial): MembershipResult => {
      const session = this.#worker.sessions.get(serial);
      if (business === undefined || session === undefined) return 'offline';
      return session.memberships.joinAt(business, group, stream);
    });
    return { results };
  }

  removeMembers({ businessId, group, serials }: MembershipChange): { results: MembershipResult[] } {
    const results = serials.map((serial): MembershipResult => {
      const session = this.#worker.sessions.get(serial);
      if (session === undefined) return 'offline';
      return session.memberships.remove(businessId, group) ? 'left' : 'not-member';
    });
    return { results };
  }

  restateRoutes(): Promise<Restated> {
    return restateRoutes(this.#worker);
  }

  dissolveGroup({ businessId, group }: { businessId: number; group: string }): void {
    this.#worker.groups.dissolve(businessId, group);
  }
}

/** What an engine keeps, behind one name each. One test suite runs on every engine: `test/cluster/engines/`. */
import type { GroupStore, RouteStore } from '../../../actors/index.js';
import type { Membership } from './membership.js';

export interface Engine {
  readonly routes: RouteStore;
  readonly groups: GroupStore;
  readonly membership: Membership;
  close(): Promise<void>;
}

export type { Membership, NodeRecord } from './membership.js';

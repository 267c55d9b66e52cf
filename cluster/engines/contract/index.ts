/** What an engine keeps, behind one name each. One test suite runs on every engine: `test/cluster/engines/`. */
import type { Bus, GroupStore, RouteStore } from '../../../actors/index.js';
import type { ControlState } from './control-state.js';
import type { CredentialStore } from './credentials.js';
import type { Membership } from './membership.js';

export interface Engine {
  readonly routes: RouteStore;
  readonly groups: GroupStore;
  readonly bus: Bus;
  readonly membership: Membership;
  readonly credentials: CredentialStore;
  readonly controlState: ControlState;
  close(): Promise<void>;
}

export type { ControlState } from './control-state.js';
export { MAX_CONTROL_TEXTS } from './control-state.js';
export {
  CONFIRMED_MS,
  type CredentialStore,
  PAGE_RECORDS,
  type RecordsPage,
  type SharedRecord,
  type StoreMark,
} from './credentials.js';
export { ControlStateFullError, InvalidControlStateError } from './errors.js';
export type { Membership, MembershipView, NodeLease, NodeRecord, NodeRole } from './membership.js';
export { NODE_ROLES } from './membership.js';

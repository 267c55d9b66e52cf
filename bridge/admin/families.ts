/** What the operator's routes are built from, and the parts of their description that are the same in each. */

import type { NodeView } from '../../cluster/index.js';
import { problemResponses } from '../../http/index.js';
import type { RouteParts } from '../routes/families.js';
import type { AdminPorts } from './ports.js';

export interface AdminParts extends Pick<RouteParts, 'routing' | 'callers'> {
  readonly node: NodeView;
  readonly ports: AdminPorts;
}

export const tags = ['admin'];
export const security = [{ adminKey: [] }];

/** The refusals of every admin route. */
export const refused = problemResponses({
  401: 'No key, or one that is not an admin key',
  404: 'This node has no admin key and so no admin API',
});

/**
 * What operators of rollouts are refused.
 *
 * @see docs/errors.md
 */
import { TrunklineError } from '../../protocol/index.js';

/** No such rollout in the policies file of the node that is asked. */
export class UnknownRolloutError extends TrunklineError {
  readonly code = 'TRK_UNKNOWN_ROLLOUT';
  constructor(rollout: string) {
    super(`the policies in force have no rollout ${JSON.stringify(rollout)}`);
  }
}

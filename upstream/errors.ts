/**
 * The config family of this folder. A call never ends in an error: what goes wrong with it is a status.
 *
 * @see docs/errors.md
 */
import { TrunklineError } from '../protocol/index.js';

/** An option of a back-end client is out of its range; the client is not made. */
export class InvalidUpstreamOptionError extends TrunklineError {
  readonly code = 'TRK_INVALID_UPSTREAM_OPTION';
  constructor(
    readonly business: string,
    readonly field: string,
    readonly detail: string,
  ) {
    super(`back-end of ${business}: ${field} ${detail}`);
  }
}

/** What keeping the control layer's state can be refused with. */
import { TrunklineError } from '../../../protocol/index.js';

/** As many texts as a service keeps. */
export class ControlStateFullError extends TrunklineError {
  readonly code = 'TRK_CONTROL_STATE_FULL';
  constructor(readonly limit: number) {
    super(`the service keeps ${limit} rollouts, and has that many`);
  }
}

/** The embedded engine's file of the control layer's state does not hold what it should. */
export class InvalidControlStateError extends TrunklineError {
  readonly code = 'TRK_INVALID_CONTROL_STATE';
  constructor(path: string, options?: ErrorOptions) {
    super(
      `${path} is not {"texts":{NAME:TEXT}}: restore it, or remove it to have each rollout as its file says`,
      options,
    );
  }
}

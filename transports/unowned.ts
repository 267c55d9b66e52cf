/** The handler of a link between its acceptance and the moment its owner takes it: nothing can happen there. */
import type { TransportHandler } from './transport.js';

const nothing = () => {};

export const UNOWNED: TransportHandler = Object.freeze({
  onBytes: nothing,
  onDrain: nothing,
  onViolation: nothing,
  onClose: nothing,
});

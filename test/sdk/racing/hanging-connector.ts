/** Links that never open, as where packets vanish. */
import type { Connector } from '../../../sdk/index.js';

export class HangingConnector {
  /** Addresses dialled, in order. */
  readonly dialled: string[] = [];
  /** Links that are still being opened. */
  open = 0;

  readonly connect: Connector = (address) => {
    this.dialled.push(address);
    this.open += 1;
    let isOpen = true;
    return {
      send: () => {},
      close: () => {
        if (isOpen) this.open -= 1;
        isOpen = false;
      },
    };
  };
}

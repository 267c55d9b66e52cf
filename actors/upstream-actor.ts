/** The actor of one business's back-end on one access worker. Its end waits for the requests under way. */
import type { BackEnd, UpstreamCall, UpstreamReply } from './ports.js';

export default class UpstreamActor {
  readonly #backEnd: BackEnd;

  constructor(backEnd: BackEnd) {
    this.#backEnd = backEnd;
  }

  request(call: UpstreamCall): Promise<UpstreamReply> {
    return this.#backEnd.request(call);
  }

  destroy(): Promise<void> {
    return this.#backEnd.close();
  }
}

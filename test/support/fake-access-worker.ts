/** An access worker that says what it is told to say. */
import { type CallItem, type DeliveryItem, decodeDeliveries } from '../../actors/delivery-batch.js';
import { MULTICAST_INDEX, OutcomeCode, OutcomeWriter } from '../../actors/outcome-batch.js';
import type RouterActor from '../../actors/router-actor.js';
import type { MembershipResult } from '../../actors/routing-service.js';

interface Sent {
  readonly topic: string;
  readonly message: object;
}

export class FakeAccessWorker {
  readonly sent: Sent[] = [];
  readonly index: number;
  readonly router: RouterActor;
  answer: (message: { serials: readonly number[] }) => Promise<object> = () => new Promise(() => {});
  /** What is reported of every delivery, by the serial of its target. */
  outcome: ((serial: number) => OutcomeCode) | undefined = () => OutcomeCode.delivered;
  /** Members that a multicast reaches here. */
  members = 0;

  constructor(index: number, router: RouterActor, generation = 0) {
    this.index = index;
    this.router = router;
    router.attachWorker({ worker: index, generation, port: this });
  }

  send(topic: string, message: object): Promise<void> {
    this.sent.push({ topic, message });
    if (topic === 'deliver') this.#report((message as { batch: Uint8Array }).batch);
    return Promise.resolve();
  }

  sendAndReceive(topic: string, message: object): Promise<unknown> {
    this.sent.push({ topic, message });
    return this.answer(message as { serials: number[] });
  }

  of(topic: string): object[] {
    return this.sent.filter((one) => one.topic === topic).map(({ message }) => message);
  }

  get items(): DeliveryItem[] {
    return (this.of('deliver') as { batch: Uint8Array }[]).flatMap(({ batch }) => decodeDeliveries(batch));
  }

  get calls(): CallItem[] {
    return this.items.filter((item): item is CallItem => item.kind === 'call');
  }

  /** Every change of membership succeeds as this. */
  answerAll(result: MembershipResult): void {
    this.answer = ({ serials }) => Promise.resolve({ results: serials.map(() => result) });
  }

  #report(batch: Uint8Array): void {
    if (this.outcome === undefined) return;
    const outcomes = new OutcomeWriter();
    for (const item of decodeDeliveries(batch)) {
      if (item.kind === 'multicast') {
        outcomes.add(item.pushId, MULTICAST_INDEX, this.outcome(0), this.members);
        continue;
      }
      if (item.kind !== 'push') continue;
      item.serials.forEach((serial, i) => {
        outcomes.add(item.pushId, item.indexes[i] as number, this.outcome?.(serial) as OutcomeCode, 0);
      });
    }
    this.router.outcomes({ worker: this.index, outcomes: outcomes.take() });
  }
}

import test from 'ava';
import { TicketDeadlines, type TicketHolder } from '../../actors/ticket-deadlines.js';
import { until } from '../support/until.js';

class Holder implements TicketHolder {
  readonly calls: number[] = [];
  constructor(readonly times: number) {}
  expireTickets(nowMs: number): boolean {
    this.calls.push(nowMs);
    return this.calls.length < this.times;
  }
}

test('ticket deadlines: a holder is asked until nothing of it waits, and may come back', async (t) => {
  const deadlines = new TicketDeadlines(() => 5);
  const [once, thrice] = [new Holder(1), new Holder(3)];
  deadlines.add(once);
  deadlines.add(thrice);
  deadlines.add(thrice);
  await until(() => thrice.calls.length === 3);
  t.deepEqual(once.calls, [5]);
  deadlines.add(once);
  await until(() => once.calls.length === 2);
  t.is(thrice.calls.length, 3);
});

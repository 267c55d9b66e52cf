import { Worker as Thread } from 'node:worker_threads';
import test from 'ava';
import { NodeAdmission, WorkerAdmission } from '../../cluster/admission.js';
import { AdmissionTable, DOORWAY_LINKS } from '../../cluster/admission-table.js';

const LIMITS = { connections: 10, connectionsPerIp: 100_000, acceptsPerSecond: 100_000 };
const HERE = '192.0.2.7';

function node(limits: Partial<typeof LIMITS> = {}, workers = 2) {
  const clock = { nowMs: 1_000 };
  const admission = new NodeAdmission(workers, { ...LIMITS, ...limits });
  const at = Array.from({ length: workers }, (_, i) => new WorkerAdmission(admission.shared, i, () => clock.nowMs));
  const [first, second] = at as [WorkerAdmission, WorkerAdmission];
  return { admission, clock, first, second };
}

function ticketOf(answer: number | string): number {
  if (typeof answer === 'string') throw new Error(`refused: ${answer}`);
  return answer;
}

test('admission: links of one address are counted over all workers, and leave room when they go', (t) => {
  const { first, second } = node({ connectionsPerIp: 2 });
  const ticket = ticketOf(first.admit(HERE));
  ticketOf(second.admit(HERE));
  t.is(first.admit(HERE), 'ip-full');
  t.is(second.admit(HERE), 'ip-full');
  ticketOf(second.admit('192.0.2.8'));
  first.release(ticket);
  ticketOf(second.admit(HERE));
  t.is(first.admit(HERE), 'ip-full');
});

test('admission: addresses of one IPv6 network are one', (t) => {
  const { first, second } = node({ connectionsPerIp: 1 });
  ticketOf(first.admit('2001:db8::1'));
  t.is(second.admit('2001:db8::2:1'), 'ip-full');
  ticketOf(second.admit('2001:db8:0:1::1'));
});

test('admission: beyond the logins there is a doorway, and then nothing', (t) => {
  const { admission, first, second } = node();
  for (let i = 0; i < LIMITS.connections + DOORWAY_LINKS; i++) ticketOf((i % 2 ? first : second).admit(`10.0.0.${i}`));
  t.is(first.admit(HERE), 'node-full');
  t.is(second.admit(HERE), 'node-full');
  t.is(admission.links, LIMITS.connections + DOORWAY_LINKS, 'who was refused is not counted');
});

test('admission: logins are counted over all workers', (t) => {
  const { first, second } = node({ connections: 2 });
  t.true(first.enter());
  t.false(second.isFull());
  t.true(second.enter());
  t.true(first.isFull());
  t.false(first.enter());
  t.false(second.enter());
  second.leave();
  t.true(first.enter());
});

test('admission: what a crashed worker counted vanishes', (t) => {
  const { admission, first, second } = node({ connections: 1, connectionsPerIp: 1 });
  first.admit(HERE);
  first.enter();
  const other = ticketOf(second.admit('192.0.2.9'));
  t.is(second.admit(HERE), 'ip-full');
  admission.workerGone(0);
  t.is(admission.links, 1);
  t.true(second.enter());
  ticketOf(second.admit(HERE));
  second.release(other);
  t.is(admission.links, 1);
});

test('admission: accepts a second, all workers together, with a burst of one second', (t) => {
  const { clock, first, second } = node({ connections: 100_000, acceptsPerSecond: 30 });
  const admitted = (count: number) => {
    let sum = 0;
    for (let i = 0; i < count; i++) if ((i % 2 ? first : second).admit(HERE) !== 'rate') sum += 1;
    return sum;
  };
  t.is(admitted(100), 30);
  clock.nowMs += 100;
  t.is(admitted(100), 3);
  clock.nowMs += 10_000;
  t.is(admitted(100), 30);
  let steady = 0;
  for (let i = 0; i < 1_000; i++) {
    clock.nowMs += 7;
    steady += admitted(2);
  }
  t.is(steady, 210, 'a rate that is no whole number a step is kept all the same');
});

test('admission: a clock that began again, or another thread that is a moment ahead, do no harm', (t) => {
  const { clock, first, second } = node({ connections: 100_000, acceptsPerSecond: 10 });
  for (let i = 0; i < 10; i++) ticketOf(first.admit(HERE));
  clock.nowMs -= 5;
  t.is(second.admit(HERE), 'rate');
  clock.nowMs += 2 ** 31 + 10;
  ticketOf(second.admit(HERE));
});

test('admission: limits may change while it runs', (t) => {
  const { admission, first } = node({ connectionsPerIp: 1 });
  ticketOf(first.admit(HERE));
  t.is(first.admit(HERE), 'ip-full');
  admission.reconfigure({ ...LIMITS, connectionsPerIp: 2 });
  ticketOf(first.admit(HERE));
});

test('admission table: a count is never too low, and with 200,000 networks seldom too high', (t) => {
  const { admission, first } = node({ connections: 1_000_000, acceptsPerSecond: 2_000_000 }, 1);
  const table = new AdmissionTable(admission.shared);
  const tickets = Array.from({ length: 200_000 }, (_, i) =>
    ticketOf(first.admit(`2001:db8:${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}::1`)),
  );
  const counts = tickets.map((ticket) => table.linksFrom(ticket));
  t.true(counts.every((count) => count >= 1));
  t.true(Math.max(...counts) <= 20, String(Math.max(...counts)));
  for (const ticket of tickets) first.release(ticket);
  t.is(admission.links, 0);
  t.is(table.linksFrom(tickets[0] as number), 0);
});

test('admission: threads that ask at once let in exactly as many as there is room for', async (t) => {
  const workers = 4;
  const admission = new NodeAdmission(workers, {
    connections: 1_000,
    connectionsPerIp: 1_000_000,
    acceptsPerSecond: 3_000,
  });
  const entered = await Promise.all(
    Array.from({ length: workers }, (_, index) => {
      const thread = new Thread(new URL('../support/admission-thread.js', import.meta.url), {
        workerData: { shared: admission.shared, index, attempts: 2_000 },
      });
      return new Promise<{ admitted: number; entered: number }>((resolve, reject) => {
        thread.once('message', resolve);
        thread.once('error', reject);
      });
    }),
  );
  const sum = (key: 'admitted' | 'entered') => entered.reduce((total, part) => total + part[key], 0);
  t.is(sum('admitted'), admission.links);
  t.true(sum('admitted') <= 1_000 + DOORWAY_LINKS);
  t.true(sum('entered') <= 1_000);
  t.true(sum('entered') > 900);
});

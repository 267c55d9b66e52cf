/**
 * A business's back-end that misbehaves, asked through a device's real connection: the device gets a status, and the
 * other business on the same connection notices nothing.
 */
import test from 'ava';
import { FrameType, Status } from '../../protocol/index.js';
import { attack } from '../support/attack.js';
import { type HostileBackEnd, startHostileBackEnd } from '../support/hostile-back-end.js';
import { InspectedNode } from '../support/inspected-node.js';
import type { RawDevice } from '../support/raw-device.js';

const MIB = 1024 * 1024;
/** What a device waits for a back-end that hangs. */
const HANG_MS = 1_500;
/** Long enough for all that do answer, on a slow machine too. */
const DEADLINE_MS = 30_000;

let backEnd: HostileBackEnd;
let node: InspectedNode;

test.before('a node with a hostile back-end starts', async () => {
  backEnd = await startHostileBackEnd();
  // The breaker has tests of its own; here every request is to reach the back-end.
  const breaker = { failures: 1_000_000 };
  node = await InspectedNode.start({ liveUpstream: { url: backEnd.url, deadlineMs: DEADLINE_MS, breaker } });
});
test.after.always('both stop', async () => {
  await node?.stop();
  backEnd?.stop();
});

let requestIds = 0;

async function ask(device: RawDevice, businessId: number, method: string) {
  const requestId = ++requestIds;
  const deadlineMs = method.startsWith('hang') ? HANG_MS : 0;
  const request = { requestId, businessId, method, metadata: {}, deadlineMs, payload: Buffer.from('?') };
  device.send({ type: FrameType.request, ...request });
  for (;;) {
    const response = await device.next(FrameType.response);
    if (response.requestId === requestId) return response;
  }
}

/** How it answers, what the device is told, and how many devices ask at once. */
const ANSWERS: readonly (readonly [method: string, status: number, count: number])[] = [
  ['hang', Status.deadlineExceeded, 40],
  ['hang-in-body', Status.deadlineExceeded, 40],
  ['500', Status.internal, 20],
  ['redirect', Status.internal, 20],
  ['cut-before', Status.unavailable, 20],
  ['cut-in-body', Status.unavailable, 20],
  ['one-gigabyte', Status.internal, 20],
  ['one-gigabyte-declared', Status.internal, 20],
  ['not-http', Status.internal, 20],
  ['compressed', Status.internal, 20],
  ['many-headers', Status.internal, 20],
  ['long-header', Status.internal, 20],
  ['proto-key', Status.internal, 20],
  ['bad-escape', Status.internal, 20],
  ['bad-status', Status.internal, 20],
  ['many-metadata', Status.internal, 20],
  ['split-response', Status.internal, 20],
  ['continue-flood', Status.ok, 10],
];

for (const [method, status, count] of ANSWERS) {
  test.serial(`hostile back-ends: ${method} is answered ${status}`, async (t) => {
    await attack(t, node, async () => {
      const devices = await Promise.all(Array.from({ length: count }, (_, i) => node.rawDevice(`${method}-${i}`)));
      const answers = await Promise.all(devices.map((device) => ask(device, 2, method)));
      t.deepEqual([...new Set(answers.map((answer) => answer.status))], [status]);
      t.log(method, { ...answers[0]?.metadata });
      if (status !== Status.ok && method !== '500') t.true(answers.every(({ payload }) => payload.length === 0));
      // The other business, on the same connections.
      const others = await Promise.all(devices.map((device) => ask(device, 1, 'echo')));
      t.true(others.every((answer) => answer.status === Status.ok));
      for (const device of devices) device.cut();
    });
  });
}

test.serial('hostile back-ends: of a gigabyte only as much is read as an answer may have', (t) => {
  const perAnswer = backEnd.endlessBytes() / 40;
  t.log(`${(perAnswer / MIB).toFixed(1)} MiB were taken of each`);
  t.true(perAnswer < 32 * MIB);
});

test.serial('hostile back-ends: nothing but status, metadata and body reaches the device', async (t) => {
  const device = await node.rawDevice('other-headers');
  const { status, metadata, payload } = await ask(device, 2, 'other-headers');
  t.deepEqual([status, { ...metadata }, Buffer.from(payload).toString()], [Status.ok, { seen: 'yes' }, 'fine']);
});

/** Members of a group that stop reading in the middle of its multicasts: they are ended, the others miss nothing. */
import test from 'ava';
import { FrameType, type PushFrame } from '../../protocol/index.js';
import { attack } from '../support/attack.js';
import { percentile } from '../support/companion.js';
import type { InspectedNode } from '../support/inspected-node.js';
import type { RawDevice } from '../support/raw-device.js';
import { shareInspectedNode } from '../support/share-inspected-node.js';
import { eventually, TEST_KEYS } from '../support/start-test-node.js';

const shared = shareInspectedNode();

const READERS = 8;
const DEAF = 4;
const PAYLOAD_BYTES = 64 * 1024;
const STOP_AFTER = 20;
/** How many messages pass between two looks at who was ended. */
const LOOK_EVERY = 32;
/** More than any kernel holds for a link and the business's limit of 1 MiB together. */
const MAX_MESSAGES = 1_024;

async function member(node: InspectedNode, deviceId: string, group: string): Promise<RawDevice> {
  const device = await node.rawDevice(deviceId);
  device.send({ type: FrameType.join, requestId: 1, businessId: 2, group });
  await device.next(FrameType.response);
  return device;
}

test.serial('slow readers: who stops reading is ended with 4003, the others get every message in time', async (t) => {
  const node = shared();
  const group = 'stage-deaf';
  const key = TEST_KEYS.live;
  const names = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${kind}-${i}`);
  const readers = await Promise.all(names('reader', READERS).map((name) => member(node, name, group)));
  const deaf = await Promise.all(names('deaf', DEAF).map((name) => member(node, name, group)));
  const closedBefore = await node.metric('trunkline_closes_total', '{code="4003"}');
  const lateMs: number[] = [];
  await attack(t, node, async () => {
    const ended = async () => (await node.metric('trunkline_closes_total', '{code="4003"}')) - closedBefore;
    for (let i = 1; i <= MAX_MESSAGES; i++) {
      if (i === STOP_AFTER) for (const device of deaf) device.pause();
      const sentMs = performance.now();
      const body = { payload: 'x'.repeat(PAYLOAD_BYTES), messageId: `m-${i}` };
      const answer = await node.call('POST', `/v1/groups/${group}/push`, { key, body });
      t.is(answer.status, 200);
      for (const reader of readers) {
        const push: PushFrame = await reader.next(FrameType.push);
        t.is(push.multicast?.offset, i);
        reader.forget();
      }
      lateMs.push(performance.now() - sentMs);
      if (i % LOOK_EVERY === 0 && (await ended()) === DEAF) break;
    }
    await eventually(async () => (await ended()) === DEAF);
  });
  lateMs.sort((a, b) => a - b);
  t.log(
    `${lateMs.length} multicasts to all readers: median ${percentile(lateMs, 0.5).toFixed(1)} ms, ` +
      `slowest ${percentile(lateMs, 1).toFixed(1)} ms`,
  );
  const { json } = await node.call('GET', `/v1/groups/${group}`, { key });
  t.is(json.members, READERS);
  t.true(readers.every((reader) => reader.isOpen));
  // They notice when they read again.
  for (const device of deaf) device.resume();
  await Promise.all(deaf.map((device) => device.ended));
});

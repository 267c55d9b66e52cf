/** A node that has too much to do: a worker whose event loop really stalls, and a memory limit below what is in use. */
import test from 'ava';
import { CloseCode, FrameType, Status } from '../../protocol/index.js';
import { InspectedNode } from '../support/inspected-node.js';
import { eventually, startTestNode, TEST_KEYS } from '../support/start-test-node.js';

const LOOP_DELAY_MS = 400;
const STALL_MS = 1_200;

const STALL = `{
  globalThis.isStalling = true;
  const stall = () => {
    for (const endMs = performance.now() + ${STALL_MS}; performance.now() < endMs; );
    if (globalThis.isStalling) setTimeout(stall, 1);
  };
  setTimeout(stall, 1);
  0;
}`;

test('node overload: a worker whose event loop stalls refuses logins, then sheds droppable pushes, then recovers', async (t) => {
  const node = await InspectedNode.start({ overload: { loopDelayMs: LOOP_DELAY_MS } });
  t.teardown(() => node.stop());
  const ready = () => node.call('GET', '/readyz');
  await eventually(async () => (await ready()).status === 200);
  const devices = await Promise.all(Array.from({ length: 12 }, (_, i) => node.rawDevice(`before-${i}`)));

  await node.inspector.evaluate(0, STALL);
  await eventually(async () => (await ready()).status === 503);
  t.regex((await ready()).json.detail, /overloaded: access worker \d event loop is late/);
  await eventually(async () => (await node.metric('trunkline_overload_level')) === 2);

  let refused: [status: number, code: number] | undefined;
  let accepted = 0;
  // The kernel chooses the worker; on a machine with much else to do, the other one may be late for a while too.
  for (let i = 0; refused === undefined || accepted === 0; i++) {
    const link = await node.rawLink();
    const { status } = await link.login((await node.issueToken(`during-${i}`)).token);
    if (status === Status.ok) accepted += 1;
    else refused = [status, (await link.next(FrameType.close)).code];
    link.cut();
  }
  t.deepEqual(refused, [Status.resourceExhausted, CloseCode.overloaded]);

  const push = async (droppable: boolean) => {
    const body = { devices: devices.map(({ deviceId }) => deviceId), payload: 'x', droppable };
    const { json } = await node.call('POST', '/v1/apps/demo/push', { key: TEST_KEYS.im, body });
    return json.results as { result: string; reason?: string }[];
  };
  await eventually(async () => {
    const results = await push(true);
    const isShed = results.some(({ result, reason }) => result === 'dropped' && reason === 'overload');
    return isShed && results.some(({ result }) => result === 'delivered');
  });
  t.true((await push(false)).every(({ result }) => result === 'delivered' || result === 'unknown'));
  t.true(devices.every((device) => device.isOpen));

  await node.inspector.evaluate(0, 'globalThis.isStalling = false');
  await eventually(async () => (await ready()).status === 200);
  t.is(await node.metric('trunkline_overload_level'), 0);
  await eventually(async () => (await push(true)).every(({ result }) => result === 'delivered'));
});

test('node overload: memory above its limit refuses logins until the limit is raised', async (t) => {
  const node = await startTestNode(t, { overload: { memoryMiB: 1 } });
  await eventually(async () => (await node.call('GET', '/readyz')).status === 503);
  const { json } = await node.call('GET', '/readyz');
  t.is(json.detail, 'overloaded: resident memory is above its limit');
  const { token } = await node.issueToken('hopeful');
  const login = async () => (await node.rawLink()).login(token);
  await eventually(async () => (await login()).status === Status.resourceExhausted);
  const { config } = node;
  await node.handle.reload({ ...config, overload: { ...config.overload, memoryMiB: 0 } });
  await eventually(async () => (await node.call('GET', '/readyz')).status === 200);
  await eventually(async () => (await login()).status === Status.ok);
  t.regex(node.logs.text(), /overload level changed/);
});

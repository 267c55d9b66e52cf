/** Keys and tokens of a real node that change while devices come and go. */
import test from 'ava';
import { decodeProtectedHeader } from 'jose';
import { CloseCode, FrameType, Status } from '../../protocol/index.js';
import { allEvents } from '../sdk/client-fixture.js';
import { createHttpClient } from '../support/http-client.js';
import type { RawDevice } from '../support/raw-device.js';
import { eventually, startTestNode, TEST_KEYS, type TestNode } from '../support/start-test-node.js';
import { crash, watchThreads } from '../support/watch-threads.js';

const kidOf = (token: string) => decodeProtectedHeader(token).kid;

function revoke(node: TestNode, body: Record<string, unknown>, key = TEST_KEYS.app) {
  return node.call('POST', '/v1/revocations', { key, body: { app: 'demo', ...body } });
}

/** @returns the status of a login with this token */
async function tryToken(node: TestNode, token: string): Promise<{ status: number; closeCode: number | undefined }> {
  const device = await node.rawLink();
  const { status } = await device.login(token);
  const closeCode = status === Status.ok ? undefined : (await device.next(FrameType.close)).code;
  device.cut();
  return { status, closeCode };
}

test.serial('credentials: a key rotation has no gap while devices connect in a loop', async (t) => {
  const node = await startTestNode(t);
  const { credentials } = node.handle;
  const tokens: string[] = [];
  const statuses: number[] = [];
  let isOver = false;
  const issuing = (async () => {
    while (!isOver) tokens.push((await node.issueToken(`d-${tokens.length}`)).token);
  })();
  const connecting = Array.from({ length: 4 }, async (_, lane) => {
    for (let i = lane; !isOver || i < tokens.length; i += 4) {
      await eventually(() => i < tokens.length || isOver);
      const token = tokens[i];
      if (token !== undefined) statuses.push((await tryToken(node, token)).status);
    }
  });
  await eventually(() => statuses.length > 20);
  const before = tokens[0] as string;
  const first = await credentials.rotateKeys();
  await eventually(() => kidOf(tokens.at(-1) as string) === first.kid);
  const second = await credentials.rotateKeys();
  await eventually(() => kidOf(tokens.at(-1) as string) === second.kid);
  const mark = statuses.length;
  await eventually(() => statuses.length > mark + 20);
  isOver = true;
  await Promise.all([issuing, ...connecting]);
  t.deepEqual(new Set(statuses), new Set([Status.ok]));
  t.is(new Set(tokens.map(kidOf)).size, 3);
  t.is((await tryToken(node, before)).status, Status.ok);
  const control = createHttpClient(node.handle.addresses.services['ControlActor'] ?? '');
  t.teardown(() => control.close());
  const published = (await control.call('GET', '/.well-known/jwks.json')).json.keys.map(
    ({ kid }: { kid: string }) => kid,
  );
  t.deepEqual(published, [first.previousKid, first.kid, second.kid]);
});

test.serial('credentials: a worker that starts after a rotation and a revocation knows both', async (t) => {
  const threads = watchThreads(t);
  const node = await startTestNode(t, { workers: 1 });
  const { token: old } = await node.issueToken('old');
  const { token: gone, jti } = await node.issueToken('gone');
  await node.handle.credentials.rotateKeys();
  const { token: young } = await node.issueToken('young');
  await revoke(node, { jti });
  crash(threads[0]);
  await eventually(() => threads.length === 2);
  await eventually(async () => (await node.call('GET', '/readyz')).status === 200);
  t.is((await tryToken(node, old)).status, Status.ok);
  t.is((await tryToken(node, young)).status, Status.ok);
  t.deepEqual(await tryToken(node, gone), { status: Status.unauthenticated, closeCode: CloseCode.invalidToken });
});

test.serial('credentials: a revocation ends live connections within a second, and only those it means', async (t) => {
  const node = await startTestNode(t);
  const tokenOf = async (deviceId: string) => {
    const issued = await node.issueToken(deviceId);
    const device = await node.rawLink();
    await device.login(issued.token);
    return { ...issued, device };
  };
  const [byToken, byDevice, byIdentity, bystander] = [
    await tokenOf('by-token'),
    await tokenOf('by-device'),
    await tokenOf('by-identity'),
    await tokenOf('bystander'),
  ] as const;

  const took = await tookMs(async () => {
    t.like((await revoke(node, { jti: byToken.jti })).json, { closed: 1 });
    await closedWith(byToken.device, CloseCode.invalidToken);
  });
  // Noise of the machine included.
  t.true(took < 1_000, `${took} ms`);
  t.like(await tryToken(node, byToken.token), { closeCode: CloseCode.invalidToken });

  t.like((await revoke(node, { deviceId: 'by-device' })).json, { closed: 1 });
  await closedWith(byDevice.device, CloseCode.invalidToken);
  t.like(await tryToken(node, byDevice.token), { closeCode: CloseCode.invalidToken });
  // What is issued from now on counts.
  t.like(await tryToken(node, (await node.issueToken('by-device')).token), { status: Status.ok });

  t.like((await revoke(node, { deviceId: 'by-identity', identity: true })).json, { closed: 1 });
  await closedWith(byIdentity.device, CloseCode.invalidToken);
  const refused = await node.call('POST', '/v1/tokens', {
    key: TEST_KEYS.app,
    body: { app: 'demo', deviceId: 'by-identity' },
  });
  t.is(refused.status, 403);
  t.is(refused.json.code, 'TRK_DEVICE_REVOKED');
  const path = '/v1/apps/demo/devices/by-identity/revocation';
  t.deepEqual((await node.call('DELETE', path, { key: TEST_KEYS.app })).json, { lifted: true });
  t.like(await tryToken(node, byIdentity.token), { closeCode: CloseCode.invalidToken });
  t.like(await tryToken(node, (await node.issueToken('by-identity')).token), { status: Status.ok });

  t.true(bystander.device.isOpen);
  // The links that were just cut may be noticed a moment later.
  t.true((await revoke(node, { beforeMs: Date.now() })).json.closed >= 1);
  await closedWith(bystander.device, CloseCode.invalidToken);
  t.is((await revoke(node, { deviceId: 'by-device' }, TEST_KEYS.im)).status, 401);
});

test.serial('credentials: an SDK client whose token was revoked fetches another and is back', async (t) => {
  const node = await startTestNode(t);
  const client = await node.online('returns');
  const onlines = allEvents(client, 'online');
  const offlines = allEvents(client, 'offline');
  await revoke(node, { deviceId: 'returns' });
  await eventually(() => onlines.length === 1);
  t.like(offlines[0], { code: CloseCode.invalidToken });
  t.is(client.state, 'online');
});

test.serial('credentials: AUTH with a revoked token is refused and the connection stays', async (t) => {
  const node = await startTestNode(t);
  const device = await node.rawDevice('keeps');
  const { token, jti } = await node.issueToken('keeps');
  await revoke(node, { jti });
  device.send({ type: FrameType.auth, requestId: 1, token });
  t.is((await device.next(FrameType.response)).status, Status.unauthenticated);
  device.send({ type: FrameType.ping, opaque: 7 });
  t.is((await device.next(FrameType.pong)).opaque, 7);
});

async function closedWith(device: RawDevice, code: number): Promise<void> {
  const close = await device.next(FrameType.close);
  if (close.code !== code) throw new Error(`closed with ${close.code}`);
  await device.ended;
}

async function tookMs(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

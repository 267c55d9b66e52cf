/** Web pages at a real node's WebSocket: the upgrade asks whether any app lists the page, the login asks its own app. */
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import WebSocket from 'ws';
import {
  CloseCode,
  DEFAULT_MAX_FRAME_BYTES,
  decodeFrame,
  encodeFrame,
  FrameDecoder,
  FrameType,
  Status,
} from '../../protocol/index.js';
import { startTestNode, TEST_KEYS, type TestNode } from '../support/start-test-node.js';

const SHOP_KEY = 'test-shop-key-0123456789';
const DEMO_PAGE = 'https://demo.example';
const SHOP_PAGE = 'https://shop.example';

interface Login {
  /** Of the CONNACK. */
  readonly status: number;
  /** Of the WebSocket's end; 0 while it stands. */
  readonly closeCode: number;
}

async function tokenOf(node: TestNode, app: 'demo' | 'shop', deviceId: string): Promise<string> {
  const key = app === 'demo' ? TEST_KEYS.app : SHOP_KEY;
  const { json } = await node.call('POST', '/v1/tokens', { key, body: { app, deviceId } });
  return json.token;
}

/** @param origin of the page; no browser without one */
async function login(t: ExecutionContext, node: TestNode, token: string, origin?: string): Promise<Login> {
  const socket = new WebSocket(node.ws, 'trunkline.v1', origin === undefined ? {} : { origin });
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  const closed = once(socket, 'close');
  const answered = once(socket, 'message');
  socket.send(encodeFrame({ type: FrameType.connect, minVersion: 1, maxVersion: 1, token, attributes: {} }));
  const [message] = await answered;
  const [first] = new FrameDecoder(DEFAULT_MAX_FRAME_BYTES).decode(message as Buffer);
  const connack = first === undefined ? undefined : decodeFrame(first);
  if (connack?.type !== FrameType.connack) throw new Error('no CONNACK');
  if (connack.status === Status.ok) return { status: connack.status, closeCode: 0 };
  const [code] = await closed;
  return { status: connack.status, closeCode: code };
}

const ONLINE: Login = { status: Status.ok, closeCode: 0 };
const REFUSED: Login = { status: Status.permissionDenied, closeCode: CloseCode.originNotAllowed };

test('origins: a page logs in for the apps that list it, other clients for all, and a reload counts', async (t) => {
  const node = await startTestNode(t, {
    app: { origins: [DEMO_PAGE] },
    otherApps: { shop: { keys: [SHOP_KEY], origins: [SHOP_PAGE] } },
  });
  const demo = await tokenOf(node, 'demo', 'a');
  const shop = await tokenOf(node, 'shop', 'a');
  t.deepEqual(await login(t, node, demo, DEMO_PAGE), ONLINE);
  t.deepEqual(await login(t, node, shop, SHOP_PAGE), ONLINE);
  t.deepEqual(await login(t, node, demo, SHOP_PAGE), REFUSED);
  t.deepEqual(await login(t, node, shop, DEMO_PAGE), REFUSED);
  t.deepEqual(await login(t, node, shop), ONLINE);
  // A page that no app lists does not even get its WebSocket.
  const nobody = new WebSocket(node.ws, 'trunkline.v1', { origin: 'https://evil.example' });
  const [error] = await once(nobody, 'error');
  t.regex(String(error), /403/);

  const draft = structuredClone(node.config) as { apps: Record<string, { origins: readonly string[] }> };
  for (const app of Object.values(draft.apps)) app.origins = [DEMO_PAGE];
  await node.handle.reload(draft as unknown as TestNode['config']);
  t.deepEqual(await login(t, node, await tokenOf(node, 'shop', 'b'), DEMO_PAGE), ONLINE);
});

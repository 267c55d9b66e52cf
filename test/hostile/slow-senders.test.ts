/** Peers that send a byte at a time: before the login their time is limited, after it they harm nobody. */
import { connect } from 'node:net';
import test from 'ava';
import { CloseCode, encodeFrame, FrameType } from '../../protocol/index.js';
import { attack } from '../support/attack.js';
import { upgradeRequest } from '../support/raw-websocket.js';
import { shareInspectedNode } from '../support/share-inspected-node.js';

const HANDSHAKE_MS = 5_000;
const shared = shareInspectedNode({ limits: { handshakeMs: HANDSHAKE_MS } });

const BYTE_EVERY_MS = 1_000;
const LINKS = 100;

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test.serial('slow senders: CONNECT at a byte a second ends with 4002', async (t) => {
  const node = shared();
  const { token } = await node.issueToken('slow-login');
  const bytes = encodeFrame({ type: FrameType.connect, minVersion: 1, maxVersion: 1, token, attributes: {} });
  await attack(t, node, async () => {
    const links = await Promise.all(Array.from({ length: LINKS }, () => node.rawLink()));
    for (let i = 0; links.some((link) => link.isOpen); i++) {
      for (const link of links) if (link.isOpen) void link.write(bytes.subarray(i, i + 1));
      await delay(BYTE_EVERY_MS);
    }
    for (const link of links) t.is((await link.next(FrameType.close)).code, CloseCode.handshakeTimeout);
  });
});

test.serial('slow senders: an upgrade request at a byte a second is cut off', async (t) => {
  const node = shared();
  const request = upgradeRequest('/connect');
  await attack(t, node, async () => {
    const [host = '', port] = node.ws.split(':');
    const sockets = Array.from({ length: LINKS }, () => connect({ host, port: Number(port) }).on('error', () => {}));
    for (let i = 0; sockets.some((socket) => !socket.destroyed); i++) {
      for (const socket of sockets) if (!socket.destroyed) socket.write(request.slice(i, i + 1));
      for (const socket of sockets) socket.resume();
      await delay(BYTE_EVERY_MS);
    }
    t.pass('all were cut');
  });
});

test.serial('slow senders: frames a byte at a time are put together after the login', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    const device = await node.rawDevice('slow-typist');
    const metadata = {};
    const payload = Buffer.from('slowly');
    const request = { requestId: 9, businessId: 1, method: 'echo', metadata, deadlineMs: 0, payload };
    for (const byte of encodeFrame({ type: FrameType.request, ...request })) await device.write(Buffer.of(byte));
    const { requestId, status, payload: answer } = await device.next(FrameType.response);
    t.deepEqual([requestId, status, Buffer.from(answer).toString()], [9, 0, 'slowly']);
    device.cut();
  });
});

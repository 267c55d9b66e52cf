/**
 * The hostile acts of a soak, each small enough to be over in seconds, so that many are mixed. An act returns how each of
 * its links or requests ended, in the words of the documentation; `expected` names all that may come out.
 */
import { CloseCode, encodeFrame, type Frame, FrameType } from '../../protocol/index.js';
import { flood, repeated } from '../../test/support/flood.js';
import { exchangeRaw } from '../../test/support/http-client.js';
import type { NodeTarget } from '../../test/support/node-target.js';
import type { RawDevice } from '../../test/support/raw-device.js';
import { maskedFrame, Opcode, upgradeRequest } from '../../test/support/raw-websocket.js';
import { TEST_KEYS } from '../../test/support/test-config.js';

export interface Attacker {
  readonly name: string;
  readonly expected: RegExp;
  /** @param n counts the acts of a soak, for names that no other has */
  act(node: NodeTarget, n: number): Promise<string[]>;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const CHUNK_BYTES = 64 * KIB;
const FLOOD_BYTES = 4 * MIB;
/** A link on which nothing more comes by then is left. */
const PATIENCE_MS = 20_000;
const HALF_OPEN = 300;
const ADDRESSES = 3;
const NO_PAYLOAD = new Uint8Array(0);
const PUSH = '/v1/apps/demo/devices/nobody/push';
const UPGRADE = Buffer.from(upgradeRequest('/connect'));

/** The close code with which a link ends, or that it ended without one. */
async function ending(link: RawDevice): Promise<string> {
  const closed = link.next(FrameType.close).then(
    ({ code }) => String(code),
    () => 'cut',
  );
  const late = new Promise<string>((resolve) => setTimeout(resolve, PATIENCE_MS, 'still open').unref());
  const how = await Promise.race([closed, late]);
  link.cut();
  return how;
}

/** One link that sends these bytes at once. */
async function strangerSends(node: NodeTarget, bytes: Uint8Array | string): Promise<string[]> {
  const link = await node.rawLink();
  void link.write(bytes);
  return [await ending(link)];
}

async function deviceSends(node: NodeTarget, deviceId: string, bytes: Uint8Array): Promise<string[]> {
  const device = await node.rawDevice(deviceId);
  void device.write(bytes);
  return [await ending(device)];
}

function connectBytes(token: string): Uint8Array {
  return encodeFrame({ type: FrameType.connect, minVersion: 1, maxVersion: 1, token, attributes: {} });
}

function noise(length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(Math.random() * 256)));
}

function requestFrame(requestId: number, businessId: number, method: string): Frame {
  return { type: FrameType.request, requestId, businessId, method, metadata: {}, deadlineMs: 0, payload: NO_PAYLOAD };
}

async function tcpFlood(node: NodeTarget, n: number, frame: Frame, reads = true): Promise<string[]> {
  const { token } = await node.issueToken(`flood-${n}`);
  const bytes = repeated(encodeFrame(frame), CHUNK_BYTES);
  const { isCut } = await flood(node.tcp, { opening: [connectBytes(token)], bytes, totalBytes: FLOOD_BYTES, reads });
  return [isCut ? 'cut' : 'still open'];
}

async function webSocketFlood(node: NodeTarget, n: number, frame: Buffer, startWith?: Buffer): Promise<string[]> {
  const { token } = await node.issueToken(`ws-flood-${n}`);
  const opening = [UPGRADE, maskedFrame(Opcode.binary, connectBytes(token))];
  const bytes = repeated(frame, CHUNK_BYTES);
  const more = startWith === undefined ? {} : { startWith };
  const { isCut } = await flood(node.ws, { opening, bytes, totalBytes: FLOOD_BYTES, ...more });
  return [isCut ? 'cut' : 'still open'];
}

const BAD_TOKENS = [
  '',
  'nonsense',
  'a.b.c',
  // `alg: none`, and a key that does not exist.
  `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"x"}').toString('base64url')}.`,
  `${Buffer.from('{"alg":"EdDSA","kid":"gone"}').toString('base64url')}.e30.${'A'.repeat(86)}`,
  'x'.repeat(4_000),
];

const BACK_END_ACTS = [
  'hang',
  'hang-in-body',
  '500',
  'redirect',
  'cut-before',
  'cut-in-body',
  'one-gigabyte',
  'one-gigabyte-declared',
  'not-http',
  'compressed',
  'many-headers',
  'long-header',
  'proto-key',
  'bad-escape',
  'bad-status',
  'many-metadata',
  'split-response',
];

async function halfOpen(node: NodeTarget): Promise<string[]> {
  const links: RawDevice[] = [];
  for (let i = 0; i < HALF_OPEN; i++) links.push(await node.rawLink(`127.0.0.${2 + (i % ADDRESSES)}`));
  return Promise.all(links.map(ending));
}

/** CONNECT a few bytes at a time, slower than the handshake allows. */
async function dribble(node: NodeTarget): Promise<string[]> {
  const { token } = await node.issueToken('dribble');
  const bytes = connectBytes(token);
  const link = await node.rawLink();
  const how = ending(link);
  for (let i = 0; link.isOpen; i++) {
    void link.write(bytes.subarray(i, i + 1));
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return [await how];
}

/** A member of a group that reads nothing of its multicasts. */
async function deafMember(node: NodeTarget, n: number): Promise<string[]> {
  const group = `stage-deaf-${n}`;
  const device = await node.rawDevice(`deaf-${n}`);
  device.send({ type: FrameType.join, requestId: 1, businessId: 2, group });
  await device.next(FrameType.response);
  device.pause();
  const body = { payload: 'x'.repeat(64 * KIB) };
  const path = `/v1/groups/${group}/push`;
  // The group goes with its last member.
  for (let i = 0; i < 400; i++) {
    const { status, json } = await node.call('POST', path, { key: TEST_KEYS.live, body });
    if (status === 404 || json.members === 0) break;
  }
  device.resume();
  await device.ended;
  return ['ended'];
}

async function hostileBackEnd(node: NodeTarget, n: number): Promise<string[]> {
  const device = await node.rawDevice(`asks-badly-${n}`);
  device.send(...BACK_END_ACTS.map((method, i) => requestFrame(i + 1, 2, method)));
  const statuses: string[] = [];
  for (const _ of BACK_END_ACTS) statuses.push(`status ${(await device.next(FrameType.response)).status}`);
  device.cut();
  return statuses;
}

async function notGranted(node: NodeTarget, n: number): Promise<string[]> {
  const device = await node.rawDevice(`ungranted-${n}`, { businesses: ['im'] });
  const join = { type: FrameType.join, requestId: 3, businessId: 1, group: 'secret' } as const;
  device.send(requestFrame(1, 2, 'x'), requestFrame(2, 999, 'x'), join);
  const statuses: string[] = [];
  for (let i = 0; i < 3; i++) statuses.push(`status ${(await device.next(FrameType.response)).status}`);
  device.cut();
  return statuses;
}

function* endlessBody(): Generator<string> {
  yield `POST ${PUSH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TEST_KEYS.im}\r\n`;
  yield 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = 'x'.repeat(CHUNK_BYTES);
  for (;;) yield `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
}

async function badBridgeCalls(node: NodeTarget): Promise<string[]> {
  const key = TEST_KEYS.im;
  const long = encodeURIComponent('ü'.repeat(33));
  const answers = await Promise.all([
    node.call('POST', PUSH, { key: 'wrong', body: { payload: '' } }),
    node.call('POST', PUSH, { key, body: '{' }),
    node.call('POST', PUSH, { key, body: { payload: 7 } }),
    node.call('POST', `/v1/apps/demo/devices/${long}/push`, { key, body: { payload: '' } }),
    node.call('POST', '/v1/groups/none-such/push', { key, body: { payload: '' } }),
    node.call('POST', PUSH, { key, body: { payload: 'x'.repeat(10 * MIB) } }),
  ]);
  return answers.map(({ status, json }) => `${status} ${json?.code}`);
}

async function endlessBridgeBody(node: NodeTarget): Promise<string[]> {
  const text = await exchangeRaw(node.bridge, endlessBody());
  return [/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'cut'];
}

const PROTOCOL_ERROR = /^450[1-3]$/;
const CUT = /^cut$/;

export const ATTACKERS: readonly Attacker[] = [
  // A type that exists and nonsense in it: noise alone could be the beginning of something long.
  {
    name: 'garbage before the login',
    expected: PROTOCOL_ERROR,
    act: (node) => strangerSends(node, Buffer.concat([Buffer.from([0xff]), noise(500)])),
  },
  {
    name: 'garbage after the login',
    expected: PROTOCOL_ERROR,
    act: (node, n) => deviceSends(node, `noise-${n}`, Buffer.concat([Buffer.from([0xff]), noise(5_000)])),
  },
  {
    name: 'HTTP on the TCP port',
    expected: /^4502$/,
    act: (node) => strangerSends(node, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  },
  {
    name: 'length beyond the limit',
    expected: /^4502$/,
    act: (node, n) => deviceSends(node, `long-${n}`, Buffer.from([0xff, 0xff, 0xff, FrameType.request])),
  },
  {
    name: 'frame before CONNECT',
    expected: /^4503$/,
    act: (node) => strangerSends(node, encodeFrame({ type: FrameType.ping, opaque: 1 })),
  },
  {
    name: 'CONNECT twice',
    expected: /^4503$/,
    act: (node, n) => deviceSends(node, `twice-${n}`, connectBytes('x')),
  },
  {
    name: 'tokens made up',
    expected: /^4100$|^4501$/,
    act: async (node) =>
      (await Promise.all(BAD_TOKENS.map((token) => strangerSends(node, connectBytes(token))))).flat(),
  },
  { name: 'business and group not granted', expected: /^status 7$/, act: notGranted },
  {
    name: 'REQUEST flood',
    expected: CUT,
    act: (node, n) => tcpFlood(node, n, requestFrame(1, 1, 'x')),
  },
  { name: 'PING flood', expected: CUT, act: (node, n) => tcpFlood(node, n, { type: FrameType.ping, opaque: 1 }) },
  {
    name: 'PING flood, unread',
    expected: CUT,
    act: (node, n) => tcpFlood(node, n, { type: FrameType.ping, opaque: 1 }, false),
  },
  {
    name: 'WebSocket ping flood',
    expected: CUT,
    act: (node, n) => webSocketFlood(node, n, maskedFrame(Opcode.ping, Buffer.from('p'))),
  },
  {
    name: 'WebSocket fragments without end',
    expected: CUT,
    act: (node, n) => {
      const begin = maskedFrame(Opcode.binary, NO_PAYLOAD, false);
      return webSocketFlood(
        node,
        n,
        maskedFrame(Opcode.continuation, Buffer.alloc(n % 2 === 0 ? 100 : 0), false),
        begin,
      );
    },
  },
  {
    name: 'empty WebSocket messages',
    expected: CUT,
    act: (node, n) => webSocketFlood(node, n, maskedFrame(Opcode.binary, NO_PAYLOAD)),
  },
  { name: 'half-open links', expected: new RegExp(`^${CloseCode.handshakeTimeout}$`), act: halfOpen },
  { name: 'a byte at a time', expected: /^4002$/, act: dribble },
  { name: 'member that does not read', expected: /^ended$/, act: deafMember },
  { name: 'hostile back-end', expected: /^status (4|8|13|14)$/, act: hostileBackEnd },
  {
    name: 'bad bridge requests',
    expected:
      /^(400 TRK_INVALID_(JSON|REQUEST)|401 TRK_UNAUTHENTICATED|404 TRK_GROUP_NOT_FOUND|413 TRK_BODY_TOO_LARGE)$/,
    act: badBridgeCalls,
  },
  { name: 'bridge body without end', expected: /^(413|cut)$/, act: endlessBridgeBody },
];

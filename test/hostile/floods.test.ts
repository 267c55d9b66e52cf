/** Floods over one connection, read or not: the node answers as far as it promised and then ends the connection. */
import test, { type ExecutionContext } from 'ava';
import {
  CloseCode,
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameDecoder,
  FrameType,
  Status,
} from '../../protocol/index.js';
import { attack } from '../support/attack.js';
import { type FloodOptions, type FloodResult, flood, repeated } from '../support/flood.js';
import { maskedFrame, messagesOf, Opcode, upgradeRequest } from '../support/raw-websocket.js';
import { shareInspectedNode } from '../support/share-inspected-node.js';

/** A burst of 200, and 1,000 refusals before the connection is ended. */
const REQUESTS_PER_SECOND = 100;
const shared = shareInspectedNode({ limits: { requestsPerSecond: REQUESTS_PER_SECOND } });

const CHUNK_BYTES = 64 * 1024;
const FLOOD_BYTES = 32 * 1024 * 1024;
const NO_PAYLOAD = new Uint8Array(0);
const PING: Frame = { type: FrameType.ping, opaque: 1 };
const UPGRADE = Buffer.from(upgradeRequest('/connect'));
const HEAD_END = '\r\n\r\n';

function connectBytes(token: string): Uint8Array {
  return encodeFrame({ type: FrameType.connect, minVersion: 1, maxVersion: 1, token, attributes: {} });
}

function requestBytes(requestId: number): Uint8Array {
  const request = { requestId, businessId: 1, method: 'x', metadata: {}, deadlineMs: 0, payload: NO_PAYLOAD };
  return encodeFrame({ type: FrameType.request, ...request });
}

function framesOf(received: Buffer): Frame[] {
  const frames = new FrameDecoder(0xff_ff_ff).decode(received).map((raw) => decodeFrame(raw));
  return frames.filter((frame) => frame !== undefined);
}

/** What came behind the answer to the upgrade. */
function messagesIn(received: Buffer) {
  return messagesOf(received.subarray(received.indexOf(HEAD_END) + HEAD_END.length));
}

async function tcpFlood(t: ExecutionContext, device: string, bytes: Uint8Array, options: Partial<FloodOptions> = {}) {
  const node = shared();
  const { token } = await node.issueToken(device);
  const opening = [connectBytes(token)];
  const result = await attack(t, node, () => flood(node.tcp, { opening, bytes, totalBytes: FLOOD_BYTES, ...options }));
  t.true(result.isCut);
  t.log(`${result.sentBytes} bytes sent`);
  return result;
}

/** @param device none for a stranger */
async function webSocketFlood(t: ExecutionContext, device: string, frame: Buffer, options: Partial<FloodOptions> = {}) {
  const node = shared();
  const opening: Uint8Array[] = [UPGRADE];
  if (device !== '') opening.push(maskedFrame(Opcode.binary, connectBytes((await node.issueToken(device)).token)));
  const bytes = repeated(frame, CHUNK_BYTES);
  const result = await attack(t, node, () => flood(node.ws, { opening, bytes, totalBytes: FLOOD_BYTES, ...options }));
  t.true(result.isCut);
  t.log(`${result.sentBytes} bytes sent`);
  return result;
}

function closesWith(t: ExecutionContext, { received }: FloodResult, code: number): void {
  const last = framesOf(received).at(-1);
  t.is(last?.type, FrameType.close);
  if (last?.type === FrameType.close) t.is(last.code, code, last.reason);
}

test.serial('hostile floods: PING without end is ended with 4507', async (t) => {
  closesWith(t, await tcpFlood(t, 'pings', repeated(encodeFrame(PING), CHUNK_BYTES)), CloseCode.policyViolation);
});

test.serial('hostile floods: PING whose answers are not read is ended too', async (t) => {
  await tcpFlood(t, 'pings-unread', repeated(encodeFrame(PING), CHUNK_BYTES), { reads: false });
});

test.serial('hostile floods: REPORT, CANCEL and extension frames without end are ended with 4507', async (t) => {
  const kinds = [
    encodeFrame({ type: FrameType.report, measurements: { a: 'b' } }),
    encodeFrame({ type: FrameType.cancel, requestId: 1 }),
    Buffer.from([0, 0, 0, 0x40]),
  ];
  for (const [i, frame] of kinds.entries()) {
    closesWith(t, await tcpFlood(t, `kind-${i}`, repeated(frame, CHUNK_BYTES)), CloseCode.policyViolation);
  }
});

test.serial('hostile floods: requests a little too fast are refused one by one', async (t) => {
  const node = shared();
  const device = await attack(t, node, async () => {
    const hasty = await node.rawDevice('hasty');
    const ids = Array.from({ length: 400 }, (_, i) => i + 1);
    await hasty.write(Buffer.concat(ids.map(requestBytes)));
    const statuses = new Map<number, number>();
    for (const _ of ids) {
      const { status } = await hasty.next(FrameType.response);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    t.log(Object.fromEntries(statuses));
    t.deepEqual([...statuses.keys()].sort(), [Status.ok, Status.resourceExhausted]);
    return hasty;
  });
  t.true(device.isOpen);
  device.cut();
});

test.serial('hostile floods: requests without end are ended with 4507', async (t) => {
  const bytes = Buffer.concat(Array.from({ length: 3_000 }, (_, i) => requestBytes(i + 1)));
  const result = await tcpFlood(t, 'requests', bytes);
  closesWith(t, result, CloseCode.policyViolation);
  const limited = framesOf(result.received).filter(({ type }) => type === FrameType.response);
  t.true(limited.length <= REQUESTS_PER_SECOND * 20, `${limited.length} answers`);
});

test.serial('hostile floods: groups joined and left without end are ended with 4507, and none is left', async (t) => {
  const frames: Uint8Array[] = [];
  for (let i = 1; i < 3_000; i++) {
    const common = { businessId: 2, group: `stage-flood-${i}` };
    frames.push(encodeFrame({ type: FrameType.join, requestId: 2 * i, ...common }));
    frames.push(encodeFrame({ type: FrameType.leave, requestId: 2 * i + 1, ...common }));
  }
  const result = await tcpFlood(t, 'joins', Buffer.concat(frames));
  closesWith(t, result, CloseCode.policyViolation);
  const { status } = await shared().call('GET', '/v1/groups/stage-flood-2999', { key: 'test-live-key-0123456789' });
  t.is(status, 404);
});

test.serial('hostile floods: WebSocket pings without end cut the link, read or not', async (t) => {
  const ping = maskedFrame(Opcode.ping, Buffer.from('p'));
  await webSocketFlood(t, 'ws-pings', ping);
  await webSocketFlood(t, 'ws-pings-unread', ping, { reads: false });
});

test.serial('hostile floods: WebSocket pings of a stranger cut the link', async (t) => {
  await webSocketFlood(t, '', maskedFrame(Opcode.ping, Buffer.from('p')));
});

test.serial('hostile floods: empty WebSocket messages are ended with 4507', async (t) => {
  const { received } = await webSocketFlood(t, 'ws-empty', maskedFrame(Opcode.binary, NO_PAYLOAD));
  const close = messagesIn(received).at(-1);
  t.deepEqual([close?.opcode, close?.payload.readUInt16BE(0)], [Opcode.close, CloseCode.policyViolation]);
});

test.serial('hostile floods: WebSocket fragments without end are ended, empty ones too', async (t) => {
  for (const [bytes, code] of [
    [1_000, 1_009],
    [0, 1_008],
  ] as const) {
    const result = await webSocketFlood(
      t,
      `ws-fragments-${bytes}`,
      maskedFrame(Opcode.continuation, Buffer.alloc(bytes), false),
      { startWith: maskedFrame(Opcode.binary, NO_PAYLOAD, false) },
    );
    const close = messagesIn(result.received).at(-1);
    t.deepEqual([close?.opcode, close?.payload.readUInt16BE(0)], [Opcode.close, code]);
  }
});

test.serial('hostile floods: fragments of a stranger stay within what a stranger may send', async (t) => {
  const { received, sentBytes } = await webSocketFlood(
    t,
    '',
    maskedFrame(Opcode.continuation, Buffer.alloc(1_000), false),
    { startWith: maskedFrame(Opcode.binary, NO_PAYLOAD, false) },
  );
  const close = messagesIn(received).at(-1);
  t.deepEqual([close?.opcode, close?.payload.readUInt16BE(0)], [Opcode.close, 1_009]);
  t.true(sentBytes < FLOOD_BYTES);
});

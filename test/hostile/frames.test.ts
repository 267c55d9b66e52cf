/** What a device may send that no client would: bytes, frames and ids. One offender each, told so with its code. */
import test, { type ExecutionContext } from 'ava';
import { CloseCode, encodeFrame, FrameType, Status } from '../../protocol/index.js';
import { attack } from '../support/attack.js';
import type { RawDevice } from '../support/raw-device.js';
import { shareInspectedNode } from '../support/share-inspected-node.js';

const shared = shareInspectedNode();

const NO_PAYLOAD = new Uint8Array(0);

/** The link ends, and its last frame is this CLOSE. */
async function closesWith(t: ExecutionContext, device: RawDevice, code: number): Promise<void> {
  const close = await device.next(FrameType.close);
  t.is(close.code, code, close.reason);
  await device.ended;
  t.is(device.frames.at(-1), close);
}

function connectFrame(token: string) {
  return { type: FrameType.connect, minVersion: 1, maxVersion: 1, token, attributes: {} } as const;
}

/** Bytes that look like nothing, the same in each run. */
function garbage(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

test.serial('hostile frames: garbage before the login closes each link with a protocol error', async (t) => {
  const node = shared();
  const codes = new Map<number, number>();
  await attack(t, node, async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const link = await node.rawLink();
      await link.write(garbage(1 + (seed % 97) * 101, seed));
      // A few bytes that could still become a frame wait for more until the handshake's time is over.
      const waits = new Promise<undefined>((resolve) => setTimeout(resolve, seed % 97 < 2 ? 20 : 30_000, undefined));
      const close = await Promise.race([link.next(FrameType.close), waits]);
      if (close !== undefined) codes.set(close.code, (codes.get(close.code) ?? 0) + 1);
      link.cut();
    }
  });
  t.log(Object.fromEntries(codes));
  const allowed: number[] = [CloseCode.malformedFrame, CloseCode.frameTooLarge, CloseCode.unexpectedFrame];
  t.true([...codes.keys()].every((code) => allowed.includes(code)));
  t.true([...codes.values()].reduce((sum, count) => sum + count, 0) >= 190);
});

test.serial('hostile frames: garbage after the login closes that connection alone', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const device = await node.rawDevice(`garbage-${seed}`);
      // A frame of a type that exists, filled with noise.
      const noise = garbage(300, seed);
      const header = Buffer.from([0, noise.length >> 8, noise.length & 0xff, 0x01 + (seed % 16)]);
      await device.write(Buffer.concat([header, noise, garbage(5_000, seed), Buffer.from([0, 0, 0, 0x02])]));
      const close = await device.next(FrameType.close);
      t.true(close.code >= 4500 && close.code <= 4507, `${close.code} ${close.reason}`);
      await device.ended;
    }
  });
});

test.serial('hostile frames: an HTTP request on the TCP port is a frame too large', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    const link = await node.rawLink();
    await link.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await closesWith(t, link, CloseCode.frameTooLarge);
  });
});

test.serial('hostile frames: a length beyond the limit is refused before its body comes', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    const stranger = await node.rawLink();
    await stranger.write(Buffer.from([0x00, 0x20, 0x01, FrameType.connect]));
    await closesWith(t, stranger, CloseCode.frameTooLarge);
    const devices = await Promise.all(Array.from({ length: 50 }, (_, i) => node.rawDevice(`too-long-${i}`)));
    await Promise.all(devices.map((device) => device.write(Buffer.from([0xff, 0xff, 0xff, FrameType.request]))));
    await Promise.all(devices.map((device) => closesWith(t, device, CloseCode.frameTooLarge)));
  });
});

test.serial('hostile frames: large lengths that are announced and never filled cost nothing', async (t) => {
  const node = shared();
  const devices = await attack(t, node, async () => {
    const announced = await Promise.all(Array.from({ length: 200 }, (_, i) => node.rawDevice(`announced-${i}`)));
    // A megabyte each: 200 MiB if it were reserved.
    for (const device of announced) await device.write(Buffer.from([0x10, 0x00, 0x00, FrameType.request, 1]));
    return announced;
  });
  t.true(devices.every((device) => device.isOpen));
  for (const device of devices) device.cut();
});

test.serial('hostile frames: a frame before CONNECT is unexpected', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    for (const frame of [
      { type: FrameType.ping, opaque: 1 },
      { type: FrameType.join, requestId: 1, businessId: 1, group: 'room-1' },
      { type: FrameType.connack, status: 0, ...NO_TERMS },
    ] as const) {
      const link = await node.rawLink();
      link.send(frame);
      await closesWith(t, link, CloseCode.unexpectedFrame);
    }
    const unknown = await node.rawLink();
    await unknown.write(Buffer.from([0, 0, 0, 0x3f]));
    await closesWith(t, unknown, CloseCode.unexpectedFrame);
  });
});

const NO_TERMS = {
  version: 1,
  connectionId: '',
  sessionId: '',
  resumeSecret: NO_PAYLOAD,
  resumed: false,
  heartbeatMs: 0,
  serverTimeMs: 0,
  maxFrameBytes: 0,
  maxInFlight: 0,
  maxGroups: 0,
  businesses: [],
};

test.serial('hostile frames: a second CONNECT is unexpected, at once or later', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    const { token } = await node.issueToken('twice');
    const later = await node.rawLink();
    await later.login(token);
    later.send(connectFrame(token));
    await closesWith(t, later, CloseCode.unexpectedFrame);
    const atOnce = await node.rawLink();
    atOnce.send(connectFrame(token), connectFrame(token));
    t.is((await atOnce.next(FrameType.connack)).status, Status.ok);
    await closesWith(t, atOnce, CloseCode.unexpectedFrame);
  });
});

test.serial('hostile frames: an unknown or ungranted business is refused, and the connection stays', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    const device = await node.rawDevice('no-business', { businesses: ['im'] });
    let requestId = 1;
    for (const businessId of [0, 2, 3, 16_383, 2 ** 40]) {
      const request = { requestId, businessId, method: 'x', metadata: {}, deadlineMs: 0, payload: NO_PAYLOAD };
      device.send({ type: FrameType.request, ...request });
      const answered = await device.next(FrameType.response);
      t.deepEqual([answered.requestId, answered.status], [requestId++, Status.permissionDenied]);
      device.send({ type: FrameType.join, requestId, businessId, group: 'room-1' });
      const joined = await device.next(FrameType.response);
      t.deepEqual([joined.requestId, joined.status], [requestId++, Status.permissionDenied]);
      device.send({ type: FrameType.leave, requestId, businessId, group: 'room-1' });
      const left = await device.next(FrameType.response);
      t.deepEqual([left.requestId, left.status], [requestId++, Status.notFound]);
    }
    t.true(device.isOpen);
    device.cut();
  });
});

test.serial('hostile frames: a group that the token does not name is refused, and the connection stays', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    const device = await node.rawDevice('no-group', { businesses: ['live'], groups: { live: ['own-*'] } });
    const answers = new Map([
      ['own-1', Status.ok],
      ['stage-1', Status.ok],
      ['other', Status.permissionDenied],
      ['*', Status.permissionDenied],
      ['own', Status.permissionDenied],
      ['', Status.invalidArgument],
    ]);
    let requestId = 1;
    for (const [group, status] of answers) {
      device.send({ type: FrameType.join, requestId, businessId: 2, group });
      const joined = await device.next(FrameType.response);
      t.deepEqual([joined.requestId, joined.status], [requestId++, status], group);
    }
    t.true(device.isOpen);
    device.cut();
  });
});

const ID_64 = ['x'.repeat(64), 'ü'.repeat(32), '長'.repeat(21), '🙂'.repeat(16), 'ab c/%?#"\u0000'];
const ID_65 = ['x'.repeat(65), `${'ü'.repeat(32)}x`, '長'.repeat(22), `${'🙂'.repeat(16)}!`, ''];

test.serial('hostile frames: ids of 64 bytes work whatever their letters', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    for (const id of ID_64) {
      t.true(Buffer.byteLength(id) <= 64);
      const device = await node.rawDevice(id);
      const path = `/v1/apps/demo/devices/${encodeURIComponent(id)}/push`;
      const pushed = await node.call('POST', path, { key: 'test-im-key-0123456789', body: { payload: 'to you' } });
      t.is(pushed.json.result, 'delivered', id);
      t.is(Buffer.from((await device.next(FrameType.push)).payload).toString(), 'to you');
      device.cut();
    }
  });
});

test.serial('hostile frames: ids of 65 bytes and empty ones are refused wherever they come', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    for (const id of ID_65) {
      const issued = await node.call('POST', '/v1/tokens', {
        key: 'test-app-key-0123456789',
        body: { app: 'demo', deviceId: id },
      });
      t.deepEqual([issued.status, issued.json.code], [400, 'TRK_INVALID_REQUEST'], id);
      if (id === '') continue;
      const path = `/v1/apps/demo/devices/${encodeURIComponent(id)}/push`;
      const pushed = await node.call('POST', path, { key: 'test-im-key-0123456789', body: { payload: '' } });
      t.deepEqual([pushed.status, pushed.json.code], [400, 'TRK_INVALID_REQUEST'], id);
    }
  });
});

test.serial('hostile frames: names beyond 128 bytes and text that is no UTF-8 are malformed', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    const long = await node.rawDevice('long-name');
    // JOIN: request id, business id, a group of 129 bytes.
    const body = Buffer.concat([Buffer.from([1, 1, 0x40, 129]), Buffer.alloc(129, 'g'), Buffer.from([0])]);
    await long.write(Buffer.concat([Buffer.from([0, 0, body.length, FrameType.join]), body]));
    await closesWith(t, long, CloseCode.malformedFrame);
    for (const bytes of ['c080', 'eda080', 'ff', 'f4908080']) {
      const device = await node.rawDevice(`no-utf8-${bytes}`);
      const name = Buffer.from(bytes, 'hex');
      const join = Buffer.concat([Buffer.from([1, 1, name.length]), name, Buffer.from([0])]);
      await device.write(Buffer.concat([Buffer.from([0, 0, join.length, FrameType.join]), join]));
      await closesWith(t, device, CloseCode.malformedFrame);
    }
  });
});

test.serial('hostile frames: thousands of unknown extension frames are skipped', async (t) => {
  const node = shared();
  await attack(t, node, async () => {
    const device = await node.rawDevice('extensions');
    const extension = Buffer.concat([Buffer.from([0, 0, 60, 0x40]), Buffer.alloc(60, 7)]);
    await device.write(Buffer.concat(Array.from({ length: 5_000 }, () => extension)));
    await device.write(encodeFrame({ type: FrameType.ping, opaque: 77 }));
    t.is((await device.next(FrameType.pong)).opaque, 77);
    device.cut();
  });
});

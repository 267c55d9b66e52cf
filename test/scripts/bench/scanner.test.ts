import test from 'ava';
import fc from 'fast-check';
import { encodeFrame, FrameType } from '../../../protocol/index.js';
import { nowUs } from '../../../scripts/bench/load/clock.js';
import { Scanner, type ScanState } from '../../../scripts/bench/load/scanner.js';
import { stampedPayload } from '../../../scripts/bench/load/stamp.js';
import { Traffic } from '../../../scripts/bench/load/traffic.js';
import { WEBSOCKET_ENVELOPE } from '../../../transports/index.js';

const push = (bytes: number, sentUs: number) =>
  encodeFrame({
    type: FrameType.push,
    businessId: 1,
    messageId: 'm-1',
    multicast: { group: 'room', offset: 7 },
    metadata: {},
    payload: stampedPayload(bytes, sentUs),
  });
const pong = encodeFrame({ type: FrameType.pong, opaque: 5 });

/** Scans `bytes` cut at `cuts` and tells what was found. */
function scanIn(bytes: Uint8Array, cuts: readonly number[], webSocket: boolean) {
  const traffic = new Traffic();
  traffic.measuring = true;
  const frames: number[] = [];
  const controls: number[] = [];
  const link: ScanState = { webSocket, carry: undefined, messageLeft: 0 };
  const scanner = new Scanner<ScanState>(traffic, {
    onFrame: (_link, type) => frames.push(type),
    onControl: (_link, opcode) => controls.push(opcode),
  });
  const edges = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
  for (let i = 1; i < edges.length; i++) {
    const piece = bytes.subarray(edges[i - 1], edges[i]);
    scanner.readBuffer.set(piece);
    scanner.scan(link, piece.length);
  }
  return { traffic, frames, controls, left: link.carry?.length ?? 0 };
}

test('scanner: counts every push of a raw stream, however it is cut', (t) => {
  const bytes = Buffer.concat([push(8, nowUs()), pong, push(300, nowUs()), push(128, nowUs())]);
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 12 }), (cuts) => {
      const found = scanIn(bytes, cuts, false);
      return found.traffic.pushes === 3 && found.frames.length === 1 && found.left === 0;
    }),
  );
  t.pass();
});

test('scanner: counts every push of WebSocket messages with several frames, however they are cut', (t) => {
  const ping = Buffer.from([0x89, 0x01, 0x00]);
  const bytes = Buffer.concat([
    WEBSOCKET_ENVELOPE.wrap(push(8, nowUs())),
    ping,
    WEBSOCKET_ENVELOPE.wrap(Buffer.concat([push(128, nowUs()), pong, push(128, nowUs())])),
  ]);
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 12 }), (cuts) => {
      const found = scanIn(bytes, cuts, true);
      return found.traffic.pushes === 3 && found.frames.length === 1 && found.controls.length === 1 && found.left === 0;
    }),
  );
  t.pass();
});

test('scanner: the latency is the time since the stamp at the end of the payload', (t) => {
  const { traffic } = scanIn(push(128, nowUs() - 2_000_000), [], false);
  t.is(traffic.latency.count, 1);
  t.true(traffic.latency.max >= 2_000_000 && traffic.latency.max < 60_000_000);
});

test('scanner: text and a message that ends inside a frame are refused', (t) => {
  t.throws(() => scanIn(Buffer.from([0x81, 0x01, 0x61]), [], true), { code: 'TRK_BENCH_FAILED' });
  const cutOff = WEBSOCKET_ENVELOPE.wrap(push(128, 0).subarray(0, 50));
  t.throws(() => scanIn(cutOff, [], true), { code: 'TRK_BENCH_FAILED' });
});

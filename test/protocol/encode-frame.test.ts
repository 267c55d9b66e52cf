import test from 'ava';
import {
  encodeFrame,
  FrameTooLargeError,
  FrameType,
  MAX_DECLARABLE_BYTES,
  MalformedFrameError,
} from '../../protocol/index.js';
import { toHex } from './vectors.js';

const response = (payload: Uint8Array) =>
  ({ type: FrameType.response, requestId: 1, status: 0, metadata: {}, payload }) as const;

/** Request id, status and metadata count of `response`. */
const RESPONSE_FIELD_BYTES = 3;

test('encode: frames made one after the other do not disturb each other', (t) => {
  const frames = Array.from({ length: 2_000 }, (_, i) => encodeFrame({ type: FrameType.ping, opaque: i }));
  frames.forEach((frame, i) => {
    t.is(toHex(frame), i < 64 ? `00000103${hex(i, 2)}` : `00000203${hex(i + 0x4000, 4)}`);
  });
});

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

test('encode: frames of every size around the shared buffer are whole', (t) => {
  for (const size of [0, 1, 63, 4_000, 8_191, 16_370, 16_384, 16_385, 65_536, 300_000]) {
    const before = encodeFrame(response(new Uint8Array(100).fill(1)));
    const frame = encodeFrame(response(new Uint8Array(size).fill(size % 251)));
    const after = encodeFrame(response(new Uint8Array(100).fill(2)));
    t.is(frame.length, 4 + RESPONSE_FIELD_BYTES + size);
    t.true(frame.subarray(4 + RESPONSE_FIELD_BYTES).every((byte) => byte === size % 251));
    t.true(before.subarray(7).every((byte) => byte === 1) && after.subarray(7).every((byte) => byte === 2));
  }
});

test('encode: a large frame has its memory to itself', (t) => {
  const large = encodeFrame(response(new Uint8Array(1_000_000)));
  const small = encodeFrame({ type: FrameType.ping, opaque: 1 });
  t.not(small.buffer, large.buffer);
  t.true(small.buffer.byteLength <= 16 * 1024);
});

test('encode: many fields that outgrow the buffer one by one', (t) => {
  const measurements = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`key-${i}`, '値'.repeat(1_000)]));
  const frame = encodeFrame({ type: FrameType.report, measurements });
  t.is(frame.length - 4, 2 + Object.keys(measurements).reduce((sum, key) => sum + 1 + key.length + 2 + 3_000, 0));
});

test('encode: the largest frame passes, one byte more does not, and the next frame is sound', (t) => {
  const largest = new Uint8Array(MAX_DECLARABLE_BYTES - RESPONSE_FIELD_BYTES);
  t.is(toHex(encodeFrame(response(largest)).subarray(0, 4)), 'ffffff06');
  t.throws(() => encodeFrame(response(new Uint8Array(largest.length + 1))), {
    instanceOf: FrameTooLargeError,
    code: 'TRK_FRAME_TOO_LARGE',
  });
  t.is(toHex(encodeFrame({ type: FrameType.ping, opaque: 42 })), '000001032a');
});

test('encode: a bad number in the middle of a frame spoils nothing', (t) => {
  const before = encodeFrame({ type: FrameType.ping, opaque: 1 });
  t.throws(() => encodeFrame({ type: FrameType.ack, businessId: 7, sequence: -1 }), {
    instanceOf: MalformedFrameError,
    code: 'TRK_MALFORMED_FRAME',
  });
  t.is(toHex(encodeFrame({ type: FrameType.ping, opaque: 2 })), '0000010302');
  t.is(toHex(before), '0000010301');
});

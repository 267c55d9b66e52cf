import test from 'ava';
import { DEFAULT_MAX_FRAME_BYTES, decodeFrame, FrameDecoder, FrameTooLargeError } from '../../protocol/index.js';
import { fromHex, readVectors, toHex } from './vectors.js';

interface StreamVector {
  readonly name: string;
  readonly chunks: readonly string[];
  readonly frames: readonly { readonly type: number; readonly body: string; readonly skipped: boolean }[];
  readonly pendingBytes: number;
}

for (const { name, chunks, frames, pendingBytes } of readVectors<{ cases: readonly StreamVector[] }>('stream').cases) {
  test(`stream: ${name}`, (t) => {
    const decoder = new FrameDecoder(DEFAULT_MAX_FRAME_BYTES);
    const decoded = chunks.flatMap((chunk) => decoder.decode(fromHex(chunk)));
    t.deepEqual(
      decoded.map(({ type, body }) => ({ type, body: toHex(body) })),
      frames.map(({ type, body }) => ({ type, body })),
    );
    t.deepEqual(
      decoded.map((raw) => decodeFrame(raw) === undefined),
      frames.map(({ skipped }) => skipped),
    );
    t.is(decoder.pendingBytes, pendingBytes);
  });
}

test('decoder: a length at the limit passes, one above fails on the header alone, before anything is held', (t) => {
  t.notThrows(() => new FrameDecoder(0x100).decode(fromHex('00010005')));
  const decoder = new FrameDecoder(0x100);
  const error = t.throws(() => decoder.decode(fromHex('00010105')), {
    instanceOf: FrameTooLargeError,
    code: 'TRK_FRAME_TOO_LARGE',
  });
  t.is(error?.lengthBytes, 0x101);
  t.is(error?.limitBytes, 0x100);
  t.is(decoder.heldBytes, 0);
});

test('decoder: a large length that is allowed holds no more than what came', (t) => {
  const decoder = new FrameDecoder(0xff_ff_ff);
  t.deepEqual(decoder.decode(fromHex('ffffff05')), []);
  t.is(decoder.pendingBytes, 4);
  t.true(decoder.heldBytes <= 256);
});

test('decoder: what it holds grows with what came, and is let go with the frame', (t) => {
  const decoder = new FrameDecoder(100_000);
  decoder.decode(fromHex('01869f08'));
  for (let came = 4; came < 100_000; came += 999) {
    decoder.decode(new Uint8Array(999));
    t.true(decoder.heldBytes <= Math.max(256, 2 * decoder.pendingBytes), `${came}`);
  }
  decoder.decode(new Uint8Array(999));
  t.true(decoder.pendingBytes < 2_000);
  t.true(decoder.heldBytes < 4_000);
});

test('decoder: after a failure it stays failed, so nothing is read out of step', (t) => {
  const decoder = new FrameDecoder(16);
  t.throws(() => decoder.decode(fromHex('ffffff03')), { code: 'TRK_FRAME_TOO_LARGE' });
  t.throws(() => decoder.decode(fromHex('000001032a')), { code: 'TRK_FRAME_TOO_LARGE' });
});

test('decoder: the limit may be raised between two chunks, as after a login', (t) => {
  const decoder = new FrameDecoder(1);
  t.is(decoder.decode(fromHex('000001032a0000')).length, 1);
  decoder.maxFrameBytes = 2;
  t.deepEqual(
    decoder.decode(fromHex('02034040')).map(({ type, body }) => ({ type, body: toHex(body) })),
    [{ type: 3, body: '4040' }],
  );
});

test('decoder: a gathered frame is not overwritten by the next', (t) => {
  const decoder = new FrameDecoder(16);
  const [first] = [...decoder.decode(fromHex('00000103')), ...decoder.decode(fromHex('2a00000103'))];
  decoder.decode(fromHex('2b'));
  t.is(toHex(first?.body ?? new Uint8Array()), '2a');
});

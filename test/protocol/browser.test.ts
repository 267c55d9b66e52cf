/** The codec as browsers get it: other files below the same frames, chosen by the `browser` field of package.json. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { buildSync } from 'esbuild';
import type * as Protocol from '../../protocol/index.js';
import { type Frame, FrameType, isSentBy, type ServerFrame, type Side } from '../../protocol/index.js';
import { fromHex, readFrameVectors, readVectors, toFields, toFrame, toHex } from './vectors.js';

interface InvalidVector {
  readonly name: string;
  readonly hex: string;
  readonly maxFrameBytes?: number;
  readonly receiver?: Side;
  readonly error: string;
}

const VECTORS = readFrameVectors();
const MAX_FRAME_BYTES = 1024 * 1024;

const { codec, inputs } = loadBundled();

function loadBundled(): { codec: typeof Protocol; inputs: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-codec-'));
  const outfile = join(folder, 'protocol.cjs');
  const entryPoints = ['dist/protocol/index.js'];
  const { metafile } = buildSync({
    entryPoints,
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'browser',
    metafile: true,
  });
  const bundled = createRequire(import.meta.url)(outfile) as typeof Protocol;
  rmSync(folder, { recursive: true });
  return { codec: bundled, inputs: Object.keys(metafile.inputs) };
}

test('browser codec: its files take the place of the fast ones', (t) => {
  for (const name of ['text', 'writer', 'frame-decoder']) {
    t.true(inputs.includes(`dist/protocol/browser/${name}.js`), name);
    t.false(inputs.includes(`dist/protocol/${name}.js`), name);
  }
});

function decode(chunks: readonly Uint8Array[], maxFrameBytes = MAX_FRAME_BYTES): (Frame | undefined)[] {
  const decoder = new codec.FrameDecoder(maxFrameBytes);
  return chunks.flatMap((chunk) => decoder.decode(chunk)).map((raw) => codec.decodeFrame(raw));
}

function byByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

for (const { name, type, hex, fields } of VECTORS) {
  test(`browser codec: ${name}`, (t) => {
    const bytes = fromHex(hex);
    for (const chunks of [[bytes], [Buffer.from(bytes)], byByte(bytes)]) {
      const frames = decode(chunks);
      t.is(frames.length, 1);
      t.deepEqual(toFields(frames[0] as Frame), fields);
    }
    t.is(toHex(codec.encodeFrame(toFrame(type, fields))), hex);
    if (isSentBy('client', type)) t.is(toHex(codec.encodeClientFrame(toFrame(type, fields) as never)), hex);
  });

  test(`browser codec, what a server sends: ${name}`, (t) => {
    const [raw] = new codec.FrameDecoder(MAX_FRAME_BYTES).decode(fromHex(hex));
    if (raw === undefined) return t.fail();
    if (isSentBy('server', type)) t.deepEqual(toFields(codec.decodeServerFrame(raw) as ServerFrame), fields);
    else t.throws(() => codec.decodeServerFrame(raw), { code: 'TRK_UNEXPECTED_FRAME' });
  });
}

test('browser codec: all vectors as one stream, cut at each position', (t) => {
  const all = VECTORS.map(({ hex }) => hex).join('');
  const bytes = fromHex(all);
  for (let at = 0; at <= bytes.length; at++) {
    const frames = decode([bytes.subarray(0, at), bytes.subarray(at)]);
    if (frames.map((frame) => toHex(codec.encodeFrame(frame as Frame))).join('') !== all) t.fail(`cut at ${at}`);
  }
  t.pass();
});

for (const vector of readVectors<{ cases: readonly InvalidVector[] }>('invalid').cases) {
  // A frame from the wrong side is told by `decodeServerFrame`, above.
  if (vector.error === 'TRK_UNEXPECTED_FRAME' && vector.receiver !== undefined) continue;
  test(`browser codec, invalid: ${vector.name}`, (t) => {
    const bytes = fromHex(vector.hex);
    for (const chunks of [[bytes], byByte(bytes)]) {
      t.throws(() => decode(chunks, vector.maxFrameBytes), { code: vector.error });
    }
  });
}

test('browser codec: after a frame that is too large every call throws', (t) => {
  const decoder = new codec.FrameDecoder(8);
  t.throws(() => decoder.decode(fromHex('00000905')), { code: 'TRK_FRAME_TOO_LARGE' });
  t.throws(() => decoder.decode(fromHex('0000010301')), { code: 'TRK_FRAME_TOO_LARGE' });
});

test('browser codec: numbers around each length of a varint', (t) => {
  const edges = [0, 0x3f, 0x40, 0x3fff, 0x4000, 0x3fff_ffff, 0x4000_0000, 0xffff_ffff, 0x1_0000_0000, 2 ** 53 - 1];
  for (const opaque of edges) {
    const bytes = codec.encodeFrame({ type: FrameType.ping, opaque });
    t.deepEqual(decode([bytes]), [{ type: FrameType.ping, opaque }]);
  }
  for (const opaque of [-1, 0.5, 2 ** 53]) {
    t.throws(() => codec.encodeFrame({ type: FrameType.ping, opaque }), { code: 'TRK_MALFORMED_FRAME' });
  }
  t.is(toHex(codec.encodeFrame({ type: FrameType.ping, opaque: 2 })), '0000010302');
});

test('browser codec: a large payload, and one too large for a frame', (t) => {
  const payload = Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 251);
  const response = { type: FrameType.response, requestId: 1, status: 0, metadata: { ключ: 'значение €𝄞' } };
  const bytes = codec.encodeFrame({ ...response, payload });
  const [frame] = decode([bytes.subarray(0, 70_000), bytes.subarray(70_000)]) as [Protocol.ResponseFrame];
  t.deepEqual(Buffer.from(frame.payload), Buffer.from(payload));
  t.deepEqual({ ...frame.metadata }, response.metadata);
  t.throws(() => codec.encodeFrame({ ...response, payload: new Uint8Array(0xff_ff_ff) }), {
    code: 'TRK_FRAME_TOO_LARGE',
  });
});

test('browser codec: lengths of text are those of its UTF-8', (t) => {
  for (const text of ['', 'a', 'é', '€', '𝄞', 'a\ud800b']) {
    t.is(codec.utf8Length(text), Buffer.byteLength(text));
  }
});

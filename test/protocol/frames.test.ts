import test from 'ava';
import { decodeFrame, encodeFrame, type Frame, FrameDecoder, FrameType, isSentBy } from '../../protocol/index.js';
import { fromHex, readFrameVectors, readVectors, toFields, toFrame, toHex } from './vectors.js';

const VECTORS = readFrameVectors();

function decodeChunks(chunks: readonly Uint8Array[]): (Frame | undefined)[] {
  const decoder = new FrameDecoder(1024 * 1024);
  return chunks.flatMap((chunk) => decoder.decode(chunk)).map((raw) => decodeFrame(raw));
}

test('vectors: every frame type has its file, with its number', (t) => {
  for (const [name, type] of Object.entries(FrameType)) {
    const vectors = readVectors<{ frame: string; type: number; cases: unknown[] }>(name);
    t.is(vectors.type, type);
    t.is(vectors.frame, name.toUpperCase());
    t.true(vectors.cases.length >= 2, name);
  }
});

for (const { name, type, hex, fields } of VECTORS) {
  test(`decode: ${name}`, (t) => {
    const [frame, ...more] = decodeChunks([fromHex(hex)]);
    t.is(more.length, 0);
    t.is(frame?.type, type as Frame['type']);
    t.deepEqual(toFields(frame as Frame), fields);
  });

  test(`encode: ${name}`, (t) => {
    t.is(toHex(encodeFrame(toFrame(type, fields))), hex);
  });
}

test('decode: every vector split in two at each position gives the same frame', (t) => {
  for (const { name, hex } of VECTORS) {
    const bytes = fromHex(hex);
    const whole = encodeFrame(decodeChunks([bytes])[0] as Frame);
    for (let at = 0; at <= bytes.length; at++) {
      const frames = decodeChunks([bytes.subarray(0, at), bytes.subarray(at)]);
      if (frames.length !== 1 || Buffer.compare(encodeFrame(frames[0] as Frame), whole) !== 0) {
        t.fail(`${name}, split at ${at}`);
      }
    }
  }
  t.pass();
});

test('decode: every vector byte by byte gives the same frame', (t) => {
  for (const { name, hex } of VECTORS) {
    const frames = decodeChunks(Array.from(fromHex(hex), (byte) => Uint8Array.of(byte)));
    t.is(frames.length, 1, name);
    t.is(toHex(encodeFrame(frames[0] as Frame)), hex, name);
  }
});

test('decode: all vectors as one stream come out in order', (t) => {
  const frames = decodeChunks([fromHex(VECTORS.map(({ hex }) => hex).join(''))]);
  t.deepEqual(
    frames.map((frame) => toHex(encodeFrame(frame as Frame))),
    VECTORS.map(({ hex }) => hex),
  );
});

test('decode: a map has no inherited keys, and a decoded map encodes again', (t) => {
  const metadata = JSON.parse('{"__proto__":"polluted"}') as Record<string, string>;
  const bytes = encodeFrame({ type: FrameType.report, measurements: metadata });
  const [frame] = decodeChunks([bytes]);
  const { measurements } = frame as Extract<Frame, { type: typeof FrameType.report }>;
  t.deepEqual(Object.entries(measurements), [['__proto__', 'polluted']]);
  t.false('toString' in measurements);
  t.is(({} as Record<string, unknown>)['polluted'], undefined);
  t.is(toHex(encodeFrame(frame as Frame)), toHex(bytes));
});

test('decode: an empty map has no inherited keys either, and cannot be changed', (t) => {
  const [frame] = decodeChunks([encodeFrame({ type: FrameType.report, measurements: {} })]);
  const { measurements } = frame as Extract<Frame, { type: typeof FrameType.report }>;
  t.false('constructor' in measurements);
  t.throws(() => Object.assign(measurements, { a: 'b' }), { instanceOf: TypeError });
});

test('decode: byte fields are plain views, whatever kind of chunk they came in', (t) => {
  const bytes = encodeFrame({
    type: FrameType.response,
    requestId: 1,
    status: 0,
    metadata: {},
    payload: Uint8Array.of(7),
  });
  for (const chunk of [Buffer.from(bytes), bytes]) {
    const [frame] = decodeChunks([chunk]);
    t.deepEqual((frame as { payload?: Uint8Array }).payload, Uint8Array.of(7));
  }
});

test('decode: push flags that version 1 does not know are ignored', (t) => {
  const [frame] = decodeChunks([fromHex('00000608073c013100aa')]);
  t.deepEqual(toFields(frame as Frame), { businessId: 7, messageId: '1', metadata: {}, payload: 'aa' });
});

test('direction: each frame is received by the side it is meant for', (t) => {
  const both = ['ping', 'pong', 'request', 'response', 'cancel', 'close'];
  const server = ['connack', 'push', 'gap', 'goaway'];
  for (const [name, type] of Object.entries(FrameType)) {
    t.is(isSentBy('server', type), both.includes(name) || server.includes(name), name);
    t.is(isSentBy('client', type), both.includes(name) || !server.includes(name), name);
  }
  for (const side of ['client', 'server'] as const) {
    t.deepEqual(
      [0x00, 0x11, 0x3f].map((type) => isSentBy(side, type)),
      [false, false, false],
    );
    t.deepEqual(
      [0x40, 0xff].map((type) => isSentBy(side, type)),
      [true, true],
    );
  }
});

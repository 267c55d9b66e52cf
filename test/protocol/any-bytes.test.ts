import test from 'ava';
import fc from 'fast-check';
import { decodeFrame, encodeFrame, type Frame, FrameDecoder, ProtocolError } from '../../protocol/index.js';
import { anyCuts, anyFrame, cut } from './arbitrary-frame.js';
import { toFields, toHex } from './vectors.js';

const LIMIT_BYTES = 4_096;

/** What a receiver made of a stream: its frames in hex, and the code it failed with. */
interface Outcome {
  readonly frames: readonly string[];
  readonly failure?: string;
}

/** Feeds the chunks and checks, after each, that nothing is held which did not come. */
function receive(chunks: readonly Uint8Array[]): Outcome {
  const decoder = new FrameDecoder(LIMIT_BYTES);
  const frames: string[] = [];
  let came = 0;
  try {
    for (const chunk of chunks) {
      came += chunk.length;
      for (const raw of decoder.decode(chunk)) {
        decodeFrame(raw);
        frames.push(`${raw.type}:${toHex(raw.body)}`);
      }
      if (decoder.pendingBytes > came) throw new Error(`${decoder.pendingBytes} bytes pending of ${came}`);
      if (decoder.heldBytes > Math.max(256, 2 * came)) throw new Error(`${decoder.heldBytes} bytes held of ${came}`);
    }
    return { frames };
  } catch (error) {
    if (error instanceof ProtocolError) return { frames, failure: error.code };
    throw error;
  }
}

/**
 * Both fail or neither. Frames are the same, except that a chunk which also holds a length above the limit fails
 * before any of its frames is looked at, so the whole may fail earlier and with another code.
 */
function agree(whole: Outcome, pieces: Outcome): boolean {
  if ((whole.failure === undefined) !== (pieces.failure === undefined)) return false;
  if (!whole.frames.every((frame, i) => frame === pieces.frames[i])) return false;
  return whole.failure !== undefined || whole.frames.length === pieces.frames.length;
}

/** Fields in one order, whatever order a map's keys came in. */
function canonical(frame: Frame): string {
  return JSON.stringify(toFields(frame), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
      : value,
  );
}

test('frames: any frame is read back as it was written', (t) => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      const [raw, ...more] = new FrameDecoder(0xff_ff_ff).decode(encodeFrame(frame));
      if (raw === undefined || more.length > 0) return false;
      const read = decodeFrame(raw);
      return read !== undefined && read.type === frame.type && canonical(read) === canonical(frame);
    }),
    { numRuns: 1_000 },
  );
  t.pass();
});

test('stream: any frames in any cutting come out in order', (t) => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 6 }), anyCuts, (frames, cuts) => {
      const encoded = frames.map((frame) => encodeFrame(frame));
      const { frames: read } = receiveAll(cut(Buffer.concat(encoded), cuts));
      return read.length === frames.length && read.every((hex, i) => hex === toHex(encoded[i] as Uint8Array));
    }),
    { numRuns: 300 },
  );
  t.pass();
});

function receiveAll(chunks: readonly Uint8Array[]): Outcome {
  const decoder = new FrameDecoder(0xff_ff_ff);
  const raws = chunks.flatMap((chunk) => decoder.decode(chunk));
  return { frames: raws.map((raw) => toHex(encodeFrame(decodeFrame(raw) as Frame))) };
}

test('stream: any bytes in any cutting give the same as whole, and nothing but protocol errors', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), anyCuts, (bytes, cuts) =>
      agree(receive([bytes]), receive(cut(bytes, cuts))),
    ),
    { numRuns: 1_000 },
  );
  t.pass();
});

/** Bytes that get past the header: a known type, a length that fits, any body. */
const plausibleBytes = fc
  .array(
    fc.tuple(fc.integer({ min: 1, max: 0x42 }), fc.uint8Array({ maxLength: 60 }), fc.integer({ min: -1, max: 1 })),
    {
      maxLength: 6,
    },
  )
  .map((parts) => {
    const frames = parts.map(([type, body, lie]) => [
      0,
      0,
      Math.max(0, body.length + (lie < 0 ? -1 : 0)),
      type,
      ...body,
    ]);
    return Uint8Array.from(frames.flat());
  });

test('stream: well-framed nonsense in any cutting gives the same as whole, and nothing but protocol errors', (t) => {
  fc.assert(
    fc.property(plausibleBytes, anyCuts, (bytes, cuts) => agree(receive([bytes]), receive(cut(bytes, cuts)))),
    { numRuns: 1_000 },
  );
  t.pass();
});

test('stream: good frames with one byte changed give the same as whole, and nothing but protocol errors', (t) => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { minLength: 1, maxLength: 3 }),
      fc.nat(),
      fc.nat(255),
      anyCuts,
      (frames, at, byte, cuts) => {
        const bytes = new Uint8Array(Buffer.concat(frames.map((frame) => encodeFrame(frame))));
        bytes[at % bytes.length] = byte;
        return agree(receive([bytes]), receive(cut(bytes, cuts)));
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});

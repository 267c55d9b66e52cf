import test from 'ava';
import { decodeFrame, encodeFrame, FrameType, MalformedFrameError } from '../../protocol/index.js';
import { fromHex, readVectors, toHex } from './vectors.js';

interface VarintVectors {
  readonly cases: readonly { readonly name: string; readonly hex: string; readonly value: number }[];
  readonly nonMinimal: readonly { readonly name: string; readonly hex: string; readonly value: number }[];
  readonly invalid: readonly { readonly name: string; readonly hex: string }[];
  readonly unencodable: readonly number[];
}

const VECTORS = readVectors<VarintVectors>('varint');

/** CANCEL is a frame of one varint. */
function decodeVarint(hex: string): number {
  const frame = decodeFrame({ type: FrameType.cancel, body: fromHex(hex) });
  return (frame as { requestId: number }).requestId;
}

function encodeVarint(value: number): string {
  return toHex(encodeFrame({ type: FrameType.cancel, requestId: value }).subarray(4));
}

for (const { name, hex, value } of VECTORS.cases) {
  test(`varint: ${name}`, (t) => {
    t.is(decodeVarint(hex), value);
    t.is(encodeVarint(value), hex);
  });
}

for (const { name, hex, value } of VECTORS.nonMinimal) {
  test(`varint: accepted though longer than needed: ${name}`, (t) => t.is(decodeVarint(hex), value));
}

for (const { name, hex } of VECTORS.invalid) {
  test(`varint: refused: ${name}`, (t) => {
    t.throws(() => decodeVarint(hex), { instanceOf: MalformedFrameError, code: 'TRK_MALFORMED_FRAME' });
  });
}

for (const value of [...VECTORS.unencodable, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
  test(`varint: ${value} is not encoded`, (t) => {
    t.throws(() => encodeVarint(value), { instanceOf: MalformedFrameError, code: 'TRK_MALFORMED_FRAME' });
  });
}

test('varint: minus zero is zero', (t) => t.is(encodeVarint(-0), '00'));

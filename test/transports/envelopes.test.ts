import test from 'ava';
import { RAW_ENVELOPE, WEBSOCKET_ENVELOPE } from '../../transports/index.js';

test('envelopes: raw bytes are written as they are, without a copy', (t) => {
  const bytes = Uint8Array.of(1, 2, 3);
  t.is(RAW_ENVELOPE.wrap(bytes), bytes);
  t.false(RAW_ENVELOPE.wholeFrames);
});

const HEADERS: readonly (readonly [number, string])[] = [
  [0, '8200'],
  [1, '8201'],
  [125, '827d'],
  [126, '827e007e'],
  [65_535, '827effff'],
  [65_536, '827f0000000000010000'],
];

for (const [length, header] of HEADERS) {
  test(`envelopes: ${length} bytes become one unmasked binary message`, (t) => {
    const bytes = new Uint8Array(length).fill(7);
    const wire = Buffer.from(WEBSOCKET_ENVELOPE.wrap(bytes));
    t.is(wire.subarray(0, header.length / 2).toString('hex'), header);
    t.deepEqual(wire.subarray(header.length / 2), Buffer.from(bytes));
  });
}

test('envelopes: the kinds of wire have indexes of their own', (t) => {
  t.deepEqual([RAW_ENVELOPE.index, WEBSOCKET_ENVELOPE.index], [0, 1]);
});

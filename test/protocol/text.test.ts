import test from 'ava';
import fc from 'fast-check';
import { readName, readUtf8, utf8Length, writeAscii, writeUtf8 } from '../../protocol/text.js';

const ANY_TEXT = fc.string({ unit: 'binary', maxLength: 200 });

function encode(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  const written = writeUtf8(text, bytes, 0);
  if (written !== bytes.length) throw new Error(`${written} bytes instead of ${bytes.length}`);
  return bytes;
}

for (const [text, bytes] of [
  ['', 0],
  ['a', 1],
  ['\u007f', 1],
  ['\u0080', 2],
  ['\u07ff', 2],
  ['\u0800', 3],
  ['\uffff', 3],
  ['\u{10000}', 4],
  ['\u{10ffff}', 4],
  ['\u0000', 1],
  ['\ufeffwith a byte order mark', 25],
  ['\ud800', 3],
  ['\udc00', 3],
  ['\udc00\ud800', 6],
  ['\ud800\ud800\udc00', 7],
] as const) {
  test(`text: ${JSON.stringify(text)} takes ${bytes} bytes`, (t) => {
    t.is(utf8Length(text), bytes);
    t.deepEqual(encode(text), new TextEncoder().encode(text));
    t.is(readUtf8(encode(text), 0, bytes), new TextDecoder('utf-8', { ignoreBOM: true }).decode(encode(text)));
  });
}

test('text: any text has the length and the bytes the platform gives it, and is read back', (t) => {
  fc.assert(
    fc.property(ANY_TEXT, (text) => {
      const bytes = encode(text);
      if (Buffer.compare(bytes, new TextEncoder().encode(text)) !== 0) return false;
      return readUtf8(bytes, 0, bytes.length) === text && readName(bytes, 0, bytes.length) === text;
    }),
  );
  t.pass();
});

test('text: units of any kind have the length the platform gives them', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) => {
      const text = String.fromCharCode(...units);
      return utf8Length(text) === new TextEncoder().encode(text).length;
    }),
  );
  t.pass();
});

test('text: any bytes are read as the platform reads them, or refused', (t) => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), (bytes, lead) => {
      const source = new Uint8Array(lead + bytes.length + 1);
      source.set(bytes, lead);
      const expected = outcome(() => strict.decode(bytes));
      const end = lead + bytes.length;
      return (
        outcome(() => readUtf8(source, lead, end)) === expected &&
        outcome(() => readName(source, lead, end)) === expected
      );
    }),
  );
  t.pass();
});

function outcome(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

test('text: names that share a slot are told apart', (t) => {
  const encoder = new TextEncoder();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 2_000; i++) {
      const bytes = encoder.encode(`name-${i}`);
      if (readName(bytes, 0, bytes.length) !== `name-${i}`) t.fail(`name-${i}`);
    }
  }
  t.pass();
});

test('text: ASCII is written up to the first other character', (t) => {
  const target = new Uint8Array(4);
  t.true(writeAscii('abc', target, 1));
  t.deepEqual(target, Uint8Array.of(0, 0x61, 0x62, 0x63));
  t.false(writeAscii('aé', target, 0));
});

test('text: invalid UTF-8 is refused with the code for malformed frames, short or long', (t) => {
  for (const bytes of [Uint8Array.of(0xff), Uint8Array.of(0xc0, 0xaf), new Uint8Array(100).fill(0x80)]) {
    t.throws(() => readUtf8(bytes, 0, bytes.length), { code: 'TRK_MALFORMED_FRAME' });
    t.throws(() => readName(bytes, 0, bytes.length), { code: 'TRK_MALFORMED_FRAME' });
  }
});

import test from 'ava';
import fc from 'fast-check';
import { type Line, LineSplitter, TOO_LONG } from '../../bridge/bulk/line-splitter.js';

const shown = (lines: readonly Line[]) => lines.map((line) => (line === TOO_LONG ? '<too long>' : line.toString()));

function split(maxBytes: number, ...chunks: string[]): string[] {
  const splitter = new LineSplitter(maxBytes);
  return [...chunks.flatMap((chunk) => shown(splitter.push(Buffer.from(chunk)))), ...shown(splitter.flush())];
}

test('line splitter: lines end with a newline, with or without a return, and the last one need not', (t) => {
  t.deepEqual(split(100, 'a\nbc\r\n', '\n\r\n', 'd', 'e\nf'), ['a', 'bc', 'de', 'f']);
  t.deepEqual(split(100, 'a\n'), ['a']);
  t.deepEqual(split(100), []);
});

test('line splitter: a line that is too long is told once and left out, as soon as that is known', (t) => {
  const splitter = new LineSplitter(4);
  t.deepEqual(shown(splitter.push(Buffer.from('1234\n12345'))), ['1234', '<too long>']);
  t.deepEqual(shown(splitter.push(Buffer.from('6789'.repeat(1_000)))), []);
  t.deepEqual(shown(splitter.push(Buffer.from('\nok\n'))), ['ok']);
  t.deepEqual(shown(splitter.flush()), []);
});

test('line splitter: however the bytes are cut, the lines are the same', (t) => {
  const text = fc.array(fc.constantFrom('a', 'bb', '\n', '\r\n', 'long line', '\n\n'), { maxLength: 30 });
  fc.assert(
    fc.property(text, fc.array(fc.nat(20), { maxLength: 20 }), (parts, cuts) => {
      const whole = parts.join('');
      const chunks: string[] = [];
      let at = 0;
      for (const cut of cuts) {
        chunks.push(whole.slice(at, at + cut));
        at += cut;
      }
      chunks.push(whole.slice(at));
      const expected = whole
        .split('\n')
        .map((line) => (line.length > 8 ? '<too long>' : line.replace(/\r$/, '')))
        .filter((line) => line !== '');
      t.deepEqual(split(8, ...chunks), expected);
    }),
  );
});

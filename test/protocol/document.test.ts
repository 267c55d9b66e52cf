import { readFileSync } from 'node:fs';
import test from 'ava';
import {
  CloseCode,
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_MAX_GROUPS,
  DEFAULT_MAX_IN_FLIGHT,
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameDecoder,
  FrameType,
  GapReason,
  GoAwayReason,
  isSentBy,
  MAX_ACCESS_POINT_BYTES,
  MAX_BUSINESSES,
  MAX_DECLARABLE_BYTES,
  MAX_DEVICE_ID_BYTES,
  MAX_HANDSHAKE_BYTES,
  MAX_HANDSHAKE_FRAME_BYTES,
  MAX_MAP_ENTRIES,
  MAX_MAP_KEY_BYTES,
  MAX_MAP_VALUE_BYTES,
  MAX_NAME_BYTES,
  MAX_REASON_BYTES,
  MAX_RESUME_SECRET_BYTES,
  MAX_TOKEN_BYTES,
  type ReconnectAdvice,
  reconnectAdvice,
  Status,
} from '../../protocol/index.js';
import { type Fields, fromHex, readVectors, toFields, toFrame, toHex } from './vectors.js';

/** The document is not part of the build; it stands beside `dist/`. */
const DOCUMENT = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');

interface SessionVector {
  readonly name: string;
  readonly from: 'client' | 'server';
  readonly frame: string;
  readonly hex: string;
  readonly fields: Fields;
}

const SESSION = readVectors<{ cases: readonly SessionVector[] }>('session').cases;

/** Text below a heading, up to the next of its level. */
function section(heading: string): string {
  const [, after = ''] = DOCUMENT.split(`\n${heading}\n`);
  const level = heading.indexOf(' ');
  return after.split(new RegExp(`\n#{1,${level}} `))[0] as string;
}

/** Rows of the section's table that begin with a number. */
function numberedRows(heading: string): string[][] {
  const rows = section(heading).matchAll(/^\| ((?:0x)?[0-9a-f]+) \|(.*)\|$/gm);
  return Array.from(rows, ([, number = '', rest = '']) => [number, ...rest.split('|').map((cell) => cell.trim())]);
}

/** `invalidArgument` and INVALID_ARGUMENT are the same name. */
const plain = (name: string) => name.replaceAll('_', '').toLowerCase();

function asTable(codes: Readonly<Record<string, number>>): string[] {
  return Object.entries(codes).map(([name, code]) => `${code} ${plain(name)}`);
}

function tableOf(heading: string): string[] {
  return numberedRows(heading).map(([code, name = '']) => `${code} ${plain(name)}`);
}

test('document: the whole session is what the vectors hold, byte for byte', (t) => {
  const blocks = Array.from(section('## A whole session').matchAll(/```text\n(.*?)```/gs), ([, block = '']) => block);
  const hexes = blocks.map((block) =>
    block
      .split('\n')
      .map((line) => /^(?:[0-9a-f]{2} ?)*/.exec(line)?.[0] ?? '')
      .join('')
      .replaceAll(' ', ''),
  );
  t.deepEqual(
    hexes,
    SESSION.map(({ hex }) => hex),
  );
});

for (const { name, from, frame, hex, fields } of SESSION) {
  test(`document: session: ${name}: ${hex.slice(0, 12)}...`, (t) => {
    const [raw] = new FrameDecoder(MAX_HANDSHAKE_FRAME_BYTES).decode(fromHex(hex));
    const type = FrameType[frame.toLowerCase() as keyof typeof FrameType];
    t.is(raw?.type, type);
    t.true(isSentBy(from, type));
    t.deepEqual(toFields(decodeFrame(raw as NonNullable<typeof raw>) as Frame), fields);
    t.is(toHex(encodeFrame(toFrame(type, fields))), hex);
  });
}

test('document: its tables hold exactly the codes there are', (t) => {
  t.deepEqual(tableOf('### Statuses'), asTable(Status));
  t.deepEqual(tableOf('### Close codes'), asTable(CloseCode));
  t.deepEqual(tableOf('### GAP reasons'), asTable(GapReason));
  t.deepEqual(tableOf('### GOAWAY reasons'), asTable(GoAwayReason));
});

test('document: what a client does after each close code follows from its range', (t) => {
  const words: Record<ReconnectAdvice, RegExp> = {
    reconnect: /^comes back/,
    'new-token': /^gets a new token, then comes back$/,
    'stay-away': /^stays away$/,
  };
  for (const [code, , , advice = ''] of numberedRows('### Close codes')) {
    t.regex(advice, words[reconnectAdvice(Number(code))], code);
  }
});

test('document: the table of frames has each type, its name and its side', (t) => {
  const rows = numberedRows('## Frames');
  t.is(rows.length, Object.keys(FrameType).length);
  for (const [number, name = '', side] of rows) {
    const type = FrameType[/\[(\w+)\]/.exec(name)?.[1]?.toLowerCase() as keyof typeof FrameType];
    t.is(Number(number), type);
    t.is(side, isSentBy('client', type) ? (isSentBy('server', type) ? 'both' : 'client') : 'server', name);
  }
});

test('document: the limits are those of the code', (t) => {
  const values = Array.from(section('## Limits').matchAll(/^\| [^|]+ \| ([\d,]+)[^|]*\|/gm), ([, value = '']) =>
    Number(value.replaceAll(',', '')),
  );
  t.deepEqual(values, [
    MAX_HANDSHAKE_FRAME_BYTES,
    MAX_HANDSHAKE_BYTES,
    DEFAULT_MAX_FRAME_BYTES,
    MAX_DECLARABLE_BYTES,
    DEFAULT_MAX_IN_FLIGHT,
    DEFAULT_MAX_GROUPS,
    MAX_MAP_ENTRIES,
    MAX_MAP_KEY_BYTES,
    MAX_MAP_VALUE_BYTES,
    MAX_TOKEN_BYTES,
    MAX_NAME_BYTES,
    MAX_DEVICE_ID_BYTES,
    MAX_ACCESS_POINT_BYTES,
    MAX_REASON_BYTES,
    MAX_RESUME_SECRET_BYTES,
    MAX_BUSINESSES,
  ]);
});

test('document: every link within the page has its heading', (t) => {
  const headings = Array.from(DOCUMENT.matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
  const targets = Array.from(DOCUMENT.matchAll(/\]\(#([^)]+)\)/g), ([, target = '']) => target);
  t.true(targets.length > 20);
  t.deepEqual(
    targets.filter((target) => !headings.includes(target)),
    [],
  );
});

/** What is typed to `trunkline connect`, and what it prints. */
import test from 'ava';
import { parseCommandLine } from '../../cli/connect/command-line.js';
import { eventText, shownPayload } from '../../cli/connect/device-event.js';
import { duration, mebibytes, printable, table } from '../../cli/table.js';

const line = test.macro({
  exec(t, text: string, expected: unknown) {
    t.deepEqual(parseCommandLine(text), expected as never);
  },
  title: (name) => `connect line: ${name}`,
});
test('nothing', line, '   ', undefined);
test('a request without a payload', line, '/request im hello', {
  verb: 'request',
  business: 'im',
  method: 'hello',
  payload: '',
});
test('a payload is the rest of the line as it is', line, '/request im hello {"a":  "b c"}', {
  verb: 'request',
  business: 'im',
  method: 'hello',
  payload: '{"a":  "b c"}',
});
test('a join', line, ' /join live room-1 ', { verb: 'join', business: 'live', group: 'room-1' });
test('a leave', line, '/leave live room-1', { verb: 'leave', business: 'live', group: 'room-1' });
test('a word too many', line, '/join live room-1 now', { problem: 'write: /join BUSINESS GROUP' });
test('a word too few', line, '/request im', { problem: 'write: /request BUSINESS METHOD [PAYLOAD]' });
test('the end', line, '/quit', { verb: 'quit' });
test('a word behind what stands alone', line, '/quit now', { problem: '/quit stands alone' });
test('no command', line, 'hello', { problem: 'no such command; /help lists them' });

test('connect output: a push shows business, group, text and metadata', (t) => {
  const push = { type: 'push', business: 'live', messageId: 'm', metadata: { kind: 'chat' } } as const;
  t.is(eventText({ ...push, payload: 'hello' }), 'live> hello {kind=chat}');
  t.is(eventText({ ...push, metadata: {}, group: 'room-1', offset: 3, payload: '' }), 'live> [room-1 #3] ');
});

test('connect output: what strangers sent cannot steer the terminal', (t) => {
  const push = { type: 'push', business: 'im', messageId: 'm', metadata: {} } as const;
  t.is(eventText({ ...push, payload: 'a\u001b[2Jb\r\n\u202ec' }), 'im> a\\u{1b}[2Jb\\u{d}\\u{a}\\u{202e}c');
  t.is(printable('grüße 你好 👋'), 'grüße 你好 👋');
});

test('connect output: bytes that are no text are base64', (t) => {
  t.deepEqual(shownPayload(Uint8Array.of(0xff, 0x00)), { payloadBase64: '/wA=' });
  t.deepEqual(shownPayload(new TextEncoder().encode('你')), { payload: '你' });
});

test('tables: columns are as wide as their widest cell', (t) => {
  t.is(table(['A', 'LONG'], [['xyz', '1']]), 'A    LONG\nxyz  1');
  t.deepEqual([duration(0), duration(61_000), duration(90_061_000)], ['0 s', '1 min 1 s', '1 d 1 h']);
  t.is(mebibytes(1_572_864), '1.5 MiB');
});

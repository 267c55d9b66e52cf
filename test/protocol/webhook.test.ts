import test from 'ava';
import fc from 'fast-check';
import {
  canonicalText,
  decodeHeaderValue,
  deviceSource,
  encodeHeaderValue,
  isMetadataKey,
  SIGNATURE_TOLERANCE_MS,
  signatureDigests,
} from '../../protocol/index.js';

test('webhook: a header value is percent-encoded as CloudEvents says', (t) => {
  t.is(encodeHeaderValue('Euro € 😀'), 'Euro%20%E2%82%AC%20%F0%9F%98%80');
  t.is(encodeHeaderValue('"100%"'), '%22100%25%22');
  t.is(encodeHeaderValue('a\r\nb'), 'a%0D%0Ab');
  t.is(encodeHeaderValue("!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"), "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~");
  t.is(encodeHeaderValue('\ud800x'), '%EF%BF%BDx');
  t.is(encodeHeaderValue(''), '');
});

test('webhook: every well-formed text comes back, and travels as printable ASCII without space', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = encodeHeaderValue(text);
      return /^[!-~]*$/.test(encoded) && decodeHeaderValue(encoded) === text;
    }),
  );
  t.pass();
});

test('webhook: a value may be quoted, or encoded more than it must', (t) => {
  t.is(decodeHeaderValue('"a \\"b\\" %C3%A9"'), 'a "b" é');
  t.is(decodeHeaderValue('%41%62'), 'Ab');
  t.is(decodeHeaderValue('two words'), 'two words');
});

test('webhook: a value that is not in its form decodes to nothing', (t) => {
  for (const value of ['%', '%4', '%zz', '%C0%A0', '%ED%A0%80', 'é', '\t', '"open', '"a"b']) {
    t.is(decodeHeaderValue(value), undefined, value);
  }
});

test('webhook: metadata keys are 1 to 64 lower-case letters, digits and dashes', (t) => {
  for (const key of ['a', 'trace-id', '0', 'x'.repeat(64)]) t.true(isMetadataKey(key), key);
  for (const key of ['', 'A', 'a_b', 'a:b', 'ä', 'a\n', 'x'.repeat(65)]) t.false(isMetadataKey(key), key);
});

test('webhook: a source is a URI reference whatever the ids are', (t) => {
  t.is(deviceSource('demo', 'a/b ü'), '/trunkline/apps/demo/devices/a%2Fb%20%C3%BC');
  t.is(deviceSource('demo', '\udc00'), '/trunkline/apps/demo/devices/%EF%BF%BD');
});

test('webhook: the canonical text has the signed headers in the order of their names', (t) => {
  const headers = {
    host: 'example.org',
    'trunkline-meta-b': '2',
    'trunkline-meta-a-b': '1',
    'ce-type': 'trunkline.request.v1',
    'ce-id': 'x.1',
    'content-type': 'text/plain',
    'trunkline-timestamp': '1700000000',
    'trunkline-signature': 'v1=00',
    'x-forwarded-for': '10.0.0.1',
  };
  t.is(
    canonicalText(headers, 'f'.repeat(64)),
    [
      'trunkline-webhook-v1',
      '1700000000',
      'x.1',
      'ce-id:x.1',
      'ce-type:trunkline.request.v1',
      'trunkline-meta-a-b:1',
      'trunkline-meta-b:2',
      'content-type:text/plain',
      'f'.repeat(64),
    ].join('\n'),
  );
});

test('webhook: missing headers count as empty, repeated ones are joined', (t) => {
  const text = canonicalText({ 'ce-id': ['a', 'b'], 'ce-uid': undefined }, '0');
  t.is(text, 'trunkline-webhook-v1\n\na, b\nce-id:a, b\nce-uid:\ncontent-type:\n0');
});

test('webhook: a signature header may hold several digests and versions', (t) => {
  const a = 'a'.repeat(64);
  const b = '0'.repeat(64);
  t.deepEqual(signatureDigests(`v1=${a}, v2=zzz ,v1=${b}`), [a, b]);
  for (const header of ['', 'v1=', `v1=${a}0`, `v1=${a.toUpperCase()}`, a]) t.deepEqual(signatureDigests(header), []);
  t.is(SIGNATURE_TOLERANCE_MS, 300_000);
});

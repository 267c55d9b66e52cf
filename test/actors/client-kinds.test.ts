import test from 'ava';
import { ClientKinds, MAX_CLIENT_KINDS } from '../../actors/client-kinds.js';

test('client kinds: connections of a kind share one object', (t) => {
  const kinds = new ClientKinds();
  const kind = kinds.of({ region: 'eu', 'app-version': '2.1.0-beta+7', platform: 'web' });
  t.deepEqual(kind, { region: 'eu', appVersion: '2.1.0-beta+7' });
  t.is(kinds.of({ region: 'eu', 'app-version': '2.1.0-beta+7' }), kind);
});

test('client kinds: what is absent, long or no word is unknown', (t) => {
  const kinds = new ClientKinds();
  const unknown = { region: 'unknown', appVersion: 'unknown' };
  for (const text of ['', 'a b', 'a"b', 'a\nb', '中', 'x'.repeat(33)]) {
    t.deepEqual(kinds.of({ region: text, 'app-version': text }), unknown, text);
  }
  t.deepEqual(kinds.of({}), unknown);
});

test('client kinds: there are so many and no more; known ones stay', (t) => {
  const kinds = new ClientKinds();
  const first = kinds.of({ region: 'r0' });
  for (let i = 1; i < MAX_CLIENT_KINDS; i += 1) kinds.of({ region: `r${i}` });
  t.deepEqual(kinds.of({ region: 'one-more' }), { region: 'other', appVersion: 'other' });
  t.is(kinds.of({ region: 'r0' }), first);
});

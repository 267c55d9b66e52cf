import test from 'ava';
import type { DeviceClaims } from '../../tokens/index.js';
import { TokenCache } from '../../tokens/token-cache.js';

const claims = (deviceId: string): DeviceClaims => ({
  app: 'shop',
  deviceId,
  uid: undefined,
  jti: '',
  businesses: [],
  groups: {},
  issuedAtMs: 0,
  expiresAtMs: 1,
});

test('token cache: the least recently used entry goes first, the bound holds', (t) => {
  const cache = new TokenCache(3);
  for (const key of ['a', 'b', 'c']) cache.set(key, claims(key));
  cache.get('a');
  cache.set('d', claims('d'));
  t.is(cache.size, 3);
  t.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => cache.get(key)?.deviceId),
    ['a', undefined, 'c', 'd'],
  );
});

test('token cache: a bound of zero keeps nothing', (t) => {
  const cache = new TokenCache(0);
  cache.set('a', claims('a'));
  t.is(cache.size, 0);
});

test('token cache: a key is 32 one-byte characters, different for every token', (t) => {
  const keys = ['', 'a', 'b'].map((token) => TokenCache.key(token));
  t.is(new Set(keys).size, 3);
  for (const key of keys) t.regex(key, /^[\0-\xff]{32}$/);
});

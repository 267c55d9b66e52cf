import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import {
  createTokenVerifier,
  InvalidKeyError,
  InvalidTokenError,
  RevocationTable,
  TokenExpiredError,
  TokenRevokedError,
} from '../../tokens/index.js';
import { base64url, forge, GOOD_CLAIMS, NOW_MS, signingKeys } from './fixtures.js';

const NOW_S = NOW_MS / 1000;
const invalid = { instanceOf: InvalidTokenError, code: 'TRK_INVALID_TOKEN' };

test('token verifier: a good token tells its claims, at once', async (t) => {
  const keys = await signingKeys(t);
  const verifier = createTokenVerifier({ jwks: keys.publicJwks(), apps: ['chat', 'shop'], now: () => NOW_MS });
  const claims = verifier.verify(await forge(keys.current, { uid: 'u-1' }));
  t.is(Object.getPrototypeOf(claims.groups), null);
  t.deepEqual(
    { ...claims, groups: { ...claims.groups } },
    {
      app: 'shop',
      deviceId: 'device-1',
      uid: 'u-1',
      businesses: ['im', 'live'],
      groups: { live: ['room-*'] },
      jti: 'j-1',
      issuedAtMs: NOW_MS,
      expiresAtMs: NOW_MS + 60_000,
    },
  );
});

const refusesClaims = test.macro({
  title: (what) => `token verifier: ${what} is refused with 4100`,
  async exec(t, claims: Record<string, unknown>, header: Record<string, unknown> = {}) {
    const keys = await signingKeys(t);
    const verifier = createTokenVerifier({ jwks: keys.publicJwks(), apps: ['shop'], now: () => NOW_MS });
    const token = await forge(keys.current, claims, header);
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = t.throws(() => verifier.verify(token), invalid);
      t.is(error?.closeCode, 4100);
    }
  },
});
test('another issuer', refusesClaims, { iss: 'somebody' });
test('a token without issuer', refusesClaims, { iss: undefined });
test('an app this service does not know', refusesClaims, { aud: 'bank' });
test('an app named like a method of objects', refusesClaims, { aud: 'constructor' });
test('a list of audiences', refusesClaims, { aud: ['shop'] });
test('a token without device', refusesClaims, { sub: undefined });
test('an empty device id', refusesClaims, { sub: '' });
test('a device id of 65 bytes', refusesClaims, { sub: 'd'.repeat(65) });
test('a device id of 33 characters and 66 bytes', refusesClaims, { sub: 'ü'.repeat(33) });
test('a device id that has no UTF-8 form', refusesClaims, { sub: 'a\ud800' });
test('a device id that is a number', refusesClaims, { sub: 7 });
test('a user id that is no text', refusesClaims, { uid: 7 });
test('a user id of 129 bytes', refusesClaims, { uid: 'u'.repeat(129) });
test('a token without businesses', refusesClaims, { biz: undefined });
test('businesses that are no list', refusesClaims, { biz: 'im' });
test('a business that is no text', refusesClaims, { biz: ['im', 1] });
test('a business named twice', refusesClaims, { biz: ['im', 'im', 'live'] });
test('65 businesses', refusesClaims, { biz: Array.from({ length: 65 }, (_, i) => `b${i}`), grp: undefined });
test('groups that are a list', refusesClaims, { grp: [] });
test('groups that are null', refusesClaims, { grp: null });
test('groups that are no lists', refusesClaims, { grp: { live: 'room' } });
test('groups of a business that is not granted', refusesClaims, { grp: { push: ['a'] } });
test('an expiry that is text', refusesClaims, { exp: String(NOW_S + 60) });
test('a token without expiry', refusesClaims, { exp: undefined });
test('an expiry past all time', refusesClaims, { exp: 1e300 });
test('a token without issue time', refusesClaims, { iat: undefined });
test('a token issued in the future', refusesClaims, { iat: NOW_S + 11 });
test('a token not valid yet', refusesClaims, { nbf: NOW_S + 11 });
test('a not-before that is no time', refusesClaims, { nbf: 'soon' });
test('a token id that is no text', refusesClaims, { jti: 7 });
test('a token id of 129 bytes', refusesClaims, { jti: 'j'.repeat(129) });
test('an unknown kid', refusesClaims, {}, { kid: 'nobody' });
test('a token without kid', refusesClaims, {}, { kid: undefined });

const acceptsClaims = test.macro({
  title: (what) => `token verifier: ${what} is accepted`,
  async exec(t, claims: Record<string, unknown>) {
    const keys = await signingKeys(t);
    const verifier = createTokenVerifier({ jwks: keys.publicJwks(), apps: ['shop'], now: () => NOW_MS });
    const token = await forge(keys.current, claims);
    t.notThrows(() => verifier.verify(token));
  },
});
test('a device id of 64 bytes', acceptsClaims, { sub: 'ü'.repeat(32) });
test('a token without groups', acceptsClaims, { grp: undefined });
test('a token without any business', acceptsClaims, { biz: [], grp: {} });
test('a business called constructor', acceptsClaims, { biz: ['constructor'], grp: { constructor: ['a'] } });
test('a clock ten seconds ahead', acceptsClaims, { iat: NOW_S + 10, nbf: NOW_S + 10 });
test('a claim nobody knows', acceptsClaims, { color: 'red' });

test('token verifier: every form of a forged token is refused', async (t) => {
  const keys = await signingKeys(t);
  const jwks = keys.publicJwks();
  const verifier = createTokenVerifier({ jwks, apps: ['shop'], now: () => NOW_MS });
  const { kid, privateKey } = keys.current;
  const token = await forge(keys.current);
  const [header = '', claims = '', signature = ''] = token.split('.');
  const stranger = await forge({ kid, privateKey: generateKeyPairSync('ed25519').privateKey });
  const admin = base64url({ ...GOOD_CLAIMS, sub: 'someone-else' });
  const none = base64url({ alg: 'none', kid });
  const hs256 = `${base64url({ alg: 'HS256', kid })}.${claims}`;
  const publicPem = createPublicKey(privateKey).export({ format: 'pem', type: 'spki' });
  const publicRaw = Buffer.from(jwks.keys[0]?.x ?? '', 'base64url');
  const resigned = (head: unknown, body = claims) => {
    const input = `${base64url(head)}.${body}`;
    return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
  };
  t.notThrows(() => verifier.verify(token));
  t.notThrows(() => verifier.verify(resigned({ alg: 'EdDSA', kid })));
  const forged: Record<string, string> = {
    'signed by a stranger under our kid': stranger,
    'other claims under the signature': `${header}.${admin}.${signature}`,
    'alg none, no signature': `${none}.${claims}.`,
    'alg none, our signature': `${none}.${claims}.${signature}`,
    'alg none, signed by us': resigned({ alg: 'none', kid }),
    'alg in small letters': resigned({ alg: 'eddsa', kid }),
    'no alg': resigned({ kid }),
    'alg HS256, signed by us': resigned({ alg: 'HS256', kid }),
    'HS256 with the public PEM as secret': `${hs256}.${createHmac('sha256', publicPem).update(hs256).digest('base64url')}`,
    'HS256 with the public bytes as secret': `${hs256}.${createHmac('sha256', publicRaw).update(hs256).digest('base64url')}`,
    'HS512 by length': `${hs256}.${createHmac('sha512', publicRaw).update(hs256).digest('base64url')}`,
    'a critical extension': resigned({ alg: 'EdDSA', kid, crit: ['x'], x: 1 }),
    'an unencoded payload': resigned({ alg: 'EdDSA', kid, b64: false }),
    'claims that are a list': resigned({ alg: 'EdDSA', kid }, base64url([])),
    'claims that are no JSON': resigned({ alg: 'EdDSA', kid }, 'AAAA'),
    'a header that is no JSON': `AAAA.${claims}.${signature}`,
    'one part': header,
    'two parts': `${header}.${claims}`,
    'four parts': `${token}.${signature}`,
    'a short signature': token.slice(0, -1),
    'a changed signature': `${header}.${claims}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`,
    'a letter that shares its low byte with the right one': `${String.fromCharCode(header.charCodeAt(0) + 256)}${token.slice(1)}`,
    'a space before': ` ${token}`,
    'a line break after': `${token}\n`,
    nothing: '',
    'too long': `${header}.${'A'.repeat(4096)}.${signature}`,
  };
  for (const [what, text] of Object.entries(forged)) t.throws(() => verifier.verify(text), invalid, what);
});

test('token verifier: an expired token is told apart, to the millisecond, and never from the cache', async (t) => {
  const keys = await signingKeys(t);
  let now = NOW_MS;
  const verifier = createTokenVerifier({ jwks: keys.publicJwks(), apps: ['shop'], now: () => now });
  const token = await forge(keys.current);
  const first = verifier.verify(token);
  now = NOW_MS + 59_999;
  t.is(verifier.verify(token), first);
  const expired = { instanceOf: TokenExpiredError, code: 'TRK_TOKEN_EXPIRED' };
  for (const at of [60_000, 60_001, 3_600_000]) {
    now = NOW_MS + at;
    const error = t.throws(() => verifier.verify(token), expired);
    t.is(error?.closeCode, 4101);
  }
});

test('token verifier: a stranger learns "invalid", not "expired"', async (t) => {
  const keys = await signingKeys(t);
  const verifier = createTokenVerifier({ jwks: keys.publicJwks(), apps: ['shop'], now: () => NOW_MS });
  const token = await forge(
    { kid: keys.current.kid, privateKey: generateKeyPairSync('ed25519').privateKey },
    { exp: NOW_S - 1 },
  );
  t.throws(() => verifier.verify(token), invalid);
});

test('token verifier: a token seen before is not judged again, one pushed out of the cache is', async (t) => {
  const keys = await signingKeys(t);
  const verifier = createTokenVerifier({
    jwks: keys.publicJwks(),
    apps: ['shop'],
    cachedTokens: 2,
    now: () => NOW_MS,
  });
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((sub) => forge(keys.current, { sub })));
  const first = verifier.verify(a ?? '');
  verifier.verify(b ?? '');
  t.is(verifier.verify(a ?? ''), first);
  verifier.verify(c ?? '');
  t.is(verifier.verify(a ?? ''), first, 'b was the least recently used');
  t.is(verifier.verify(a ?? '').groups, verifier.verify(c ?? '').groups, 'equal grants are shared');
  const none = createTokenVerifier({ jwks: keys.publicJwks(), apps: ['shop'], cachedTokens: 0, now: () => NOW_MS });
  t.not(none.verify(a ?? ''), none.verify(a ?? ''));
});

test('token verifier: errors never quote the token', async (t) => {
  const keys = await signingKeys(t);
  const verifier = createTokenVerifier({ jwks: keys.publicJwks(), apps: ['shop'], now: () => NOW_MS });
  const token = await forge(keys.current, { sub: 'x'.repeat(80) });
  const error = t.throws(() => verifier.verify(token), invalid);
  t.false(String(error?.stack).includes(token.slice(0, 20)) || String(error?.stack).includes('xxxx'));
});

test('token verifier: a published key that is not Ed25519 is refused', (t) => {
  const good = { kty: 'OKP', crv: 'Ed25519', x: 'AAAA', kid: 'k', alg: 'EdDSA', use: 'sig' } as const;
  const wrong = { ...good, kty: 'oct', k: 'c2VjcmV0' } as unknown as typeof good;
  for (const key of [good, wrong]) {
    t.throws(() => createTokenVerifier({ jwks: { keys: [key] }, apps: [] }), { instanceOf: InvalidKeyError });
  }
});

test('token verifier: works in a worker thread from cloned JSON', async (t) => {
  const keys = await signingKeys(t);
  const source = `
    import { parentPort, workerData } from 'node:worker_threads';
    import { createTokenVerifier } from ${JSON.stringify(new URL('../../tokens/index.js', import.meta.url).href)};
    const { jwks, token, nowMs } = workerData;
    const verifier = createTokenVerifier({ jwks, apps: ['shop'], now: () => nowMs });
    parentPort.postMessage(verifier.verify(token).deviceId);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: { jwks: keys.publicJwks(), token: await forge(keys.current), nowMs: NOW_MS },
  });
  const answer = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  t.is(answer, 'device-1');
  await worker.terminate();
});

test('token verifier: what was revoked is refused with 4100, also when it was accepted a moment ago', async (t) => {
  const keys = await signingKeys(t);
  const revocations = new RevocationTable();
  const verifier = createTokenVerifier({ jwks: keys.publicJwks(), apps: ['shop'], now: () => NOW_MS, revocations });
  const token = await forge(keys.current);
  const other = await forge(keys.current, { jti: 'j-2' });
  t.is(verifier.verify(token).jti, 'j-1');
  t.is(verifier.verify(other).jti, 'j-2');
  revocations.apply({ kind: 'token', app: 'shop', jti: 'j-1', untilMs: NOW_MS + 1 });
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = t.throws(() => verifier.verify(token), { instanceOf: TokenRevokedError, code: 'TRK_TOKEN_REVOKED' });
    t.is(error?.closeCode, 4100);
  }
  t.is(verifier.verify(other).jti, 'j-2');
});

test('token verifier: other keys count from the moment they are handed over', async (t) => {
  const [first, second] = [await signingKeys(t), await signingKeys(t)];
  const verifier = createTokenVerifier({ jwks: first.publicJwks(), apps: ['shop'], now: () => NOW_MS });
  const [old, young] = [await forge(first.current), await forge(second.current)];
  verifier.verify(old);
  t.throws(() => verifier.verify(young), invalid);
  verifier.useKeys({ keys: [...first.publicJwks().keys, ...second.publicJwks().keys] });
  t.notThrows(() => verifier.verify(old));
  t.notThrows(() => verifier.verify(young));
  verifier.useKeys(second.publicJwks());
  // Accepted and remembered a moment ago; its key is gone.
  t.throws(() => verifier.verify(old), invalid);
  t.notThrows(() => verifier.verify(young));
  const broken = { keys: [{ ...second.publicJwks().keys[0], x: 'no' }] };
  t.throws(() => verifier.useKeys(broken as never), { instanceOf: InvalidKeyError });
  t.notThrows(() => verifier.verify(young));
});

import test from 'ava';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { createTokenVerifier, SigningKeys, TokenIssuer, TokenTooLargeError } from '../../tokens/index.js';
import { dataDir, NOW_MS, signingKeys } from './fixtures.js';

const REQUEST = { app: 'shop', deviceId: 'd-1', businesses: ['im'], groups: { im: ['room-*'] }, ttlMs: 60_000 };

test('token issuer: a token has the agreed header and claims', async (t) => {
  const keys = await signingKeys(t);
  const issuer = new TokenIssuer({ keys, now: () => NOW_MS + 999 });
  const { token, expiresAtMs, jti: tokenId } = await issuer.issue({ ...REQUEST, uid: 'u-1' });
  t.is(expiresAtMs, NOW_MS + 60_000);
  t.deepEqual(decodeProtectedHeader(token), { alg: 'EdDSA', typ: 'JWT', kid: keys.current.kid });
  const { jti, ...claims } = decodeJwt(token);
  t.is(jti, tokenId);
  t.deepEqual(claims, {
    iss: 'trunkline',
    aud: 'shop',
    sub: 'd-1',
    uid: 'u-1',
    biz: ['im'],
    grp: { im: ['room-*'] },
    iat: NOW_MS / 1000 + 0.999,
    exp: NOW_MS / 1000 + 60,
  });
});

test('token issuer: what it makes verifies to what was asked', async (t) => {
  const keys = await signingKeys(t);
  const issuer = new TokenIssuer({ keys, now: () => NOW_MS });
  const verifier = createTokenVerifier({ jwks: keys.publicJwks(), apps: ['shop'], now: () => NOW_MS });
  const { token, expiresAtMs, jti } = await issuer.issue({ ...REQUEST, deviceId: 'gerät-✓' });
  const claims = verifier.verify(token);
  t.deepEqual(
    { ...claims, groups: { ...claims.groups } },
    {
      app: 'shop',
      deviceId: 'gerät-✓',
      uid: undefined,
      businesses: ['im'],
      groups: { im: ['room-*'] },
      jti,
      issuedAtMs: NOW_MS,
      expiresAtMs,
    },
  );
});

test('token issuer: no two tokens are alike', async (t) => {
  const issuer = new TokenIssuer({ keys: await signingKeys(t), now: () => NOW_MS });
  const [first, second] = [await issuer.issue(REQUEST), await issuer.issue(REQUEST)];
  t.not(first.token, second.token);
});

test('token issuer: a life shorter than a second still is one', async (t) => {
  const issuer = new TokenIssuer({ keys: await signingKeys(t), now: () => NOW_MS });
  t.is((await issuer.issue({ ...REQUEST, ttlMs: 1 })).expiresAtMs, NOW_MS + 1_000);
});

test('token issuer: grants that no CONNECT could carry are refused', async (t) => {
  const issuer = new TokenIssuer({ keys: await signingKeys(t) });
  const groups = { im: Array.from({ length: 250 }, (_, index) => `a-room-with-a-name-${index}`) };
  await t.throwsAsync(issuer.issue({ ...REQUEST, groups }), {
    instanceOf: TokenTooLargeError,
    code: 'TRK_TOKEN_TOO_LARGE',
  });
});

test('token issuer: the longest life it gave is on record before the token is out, also after a restart', async (t) => {
  const dir = await dataDir(t);
  const keys = await SigningKeys.open(dir);
  const issuer = new TokenIssuer({ keys, now: () => NOW_MS });
  const first = await issuer.issue({ ...REQUEST, ttlMs: 90_500 });
  t.true((await SigningKeys.open(dir)).longestLifeMs >= first.expiresAtMs - NOW_MS);
  await issuer.issue(REQUEST);
  t.is((await SigningKeys.open(dir)).longestLifeMs, keys.longestLifeMs);
});

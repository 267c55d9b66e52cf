import test from 'ava';
import { type JWTPayload, SignJWT } from 'jose';
import { InvalidAssertionError, verifyAssertion } from '../../tokens/index.js';
import { base64url, forge, NOW_MS, signingKeys } from './fixtures.js';

const NOW_S = NOW_MS / 1000;
const SECRET = 'an-assertion-secret-for-tests';
const CHECK = { app: 'shop', secret: SECRET, nowMs: NOW_MS };
const CLAIMS: JWTPayload = { iss: 'shop', aud: 'trunkline', sub: 'my-device', exp: NOW_S + 60 };

function assertion(claims: JWTPayload = {}, { secret = SECRET, alg = 'HS256' } = {}): Promise<string> {
  return new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ alg }).sign(Buffer.from(secret));
}

test('assertion: the least one names a device', async (t) => {
  const { groups, ...rest } = await verifyAssertion(await assertion(), CHECK);
  t.deepEqual(rest, { deviceId: 'my-device', uid: undefined, businesses: undefined });
  t.deepEqual(Object.keys(groups), []);
});

test('assertion: a full one tells user, businesses and groups', async (t) => {
  const jwt = await assertion({ uid: 'u-1', biz: ['im'], grp: { im: ['room-*'] }, iat: NOW_S, nbf: NOW_S });
  const { groups, ...rest } = await verifyAssertion(jwt, CHECK);
  t.deepEqual(rest, { deviceId: 'my-device', uid: 'u-1', businesses: ['im'] });
  t.deepEqual({ ...groups }, { im: ['room-*'] });
});

test('assertion: it may expire five minutes ahead and not later', async (t) => {
  await t.notThrowsAsync(verifyAssertion(await assertion({ exp: NOW_S + 300 }), CHECK));
  await t.throwsAsync(verifyAssertion(await assertion({ exp: NOW_S + 320 }), CHECK), {
    code: 'TRK_INVALID_ASSERTION',
    message: /five minutes/,
  });
});

const refuses = test.macro({
  title: (what) => `assertion: ${what} is refused`,
  async exec(t, make: () => string | Promise<string>) {
    const error = await t.throwsAsync(verifyAssertion(await make(), CHECK), {
      instanceOf: InvalidAssertionError,
      code: 'TRK_INVALID_ASSERTION',
    });
    t.false(error?.message.includes(SECRET));
  },
});
test('another secret', refuses, () => assertion({}, { secret: 'another-secret-for-tests' }));
test('HS512', refuses, () => assertion({}, { alg: 'HS512' }));
test('alg none', refuses, () => `${base64url({ alg: 'none' })}.${base64url(CLAIMS)}.`);
test("another app's name", refuses, () => assertion({ iss: 'bank' }));
test('another audience', refuses, () => assertion({ aud: 'shop' }));
test('no audience', refuses, () =>
  new SignJWT({ iss: 'shop', sub: 'd', exp: NOW_S + 9 }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(SECRET)),
);
test('an expired one', refuses, () => assertion({ exp: NOW_S - 11 }));
test('one not valid yet', refuses, () => assertion({ nbf: NOW_S + 11 }));
test('one without device', refuses, () => assertion({ sub: '' }));
test('a device id of 65 bytes', refuses, () => assertion({ sub: 'd'.repeat(65) }));
test('a wrong user id', refuses, () => assertion({ uid: 1 }));
test('businesses that are no list', refuses, () => assertion({ biz: 'im' }));
test('groups that are no map', refuses, () => assertion({ grp: ['im'] }));
test('text', refuses, () => 'hello');
test('a text longer than any token', refuses, () => 'a'.repeat(5_000));

test('assertion: a device token is not one', async (t) => {
  const { current } = await signingKeys(t);
  await t.throwsAsync(
    forge(current, CLAIMS).then((jwt) => verifyAssertion(jwt, CHECK)),
    {
      code: 'TRK_INVALID_ASSERTION',
    },
  );
});

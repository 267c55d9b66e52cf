import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { createLocalJWKSet, jwtVerify } from 'jose';
import {
  createSigningKey,
  createTokenVerifier,
  InvalidKeyError,
  SecretExposedError,
  SigningKeys,
} from '../../tokens/index.js';
import { dataDir, forge, NOW_MS } from './fixtures.js';

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

function privateJwk(kid: string): Record<string, unknown> {
  return { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid };
}

async function putKey(dir: string, name: string, content: unknown): Promise<string> {
  const path = join(dir, 'keys', name);
  await mkdir(join(dir, 'keys'), { recursive: true, mode: 0o700 });
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
  return path;
}

test('signing keys: a first start makes a key that only its owner reads, the next one loads it', async (t) => {
  const dir = join(await dataDir(t), 'not', 'there', 'yet');
  const first = await SigningKeys.open(dir);
  const files = await readdir(join(dir, 'keys'));
  t.is(files.length, 1);
  t.is(await modeOf(dir), 0o700);
  t.is(await modeOf(join(dir, 'keys')), 0o700);
  t.is(await modeOf(join(dir, 'keys', files[0] ?? '')), 0o600);
  t.deepEqual((await SigningKeys.open(dir)).publicJwks(), first.publicJwks());
});

test('signing keys: what is published is plain, public and enough for a verifier elsewhere', async (t) => {
  const keys = await SigningKeys.open(await dataDir(t));
  const jwks = structuredClone(keys.publicJwks());
  t.deepEqual(jwks, keys.publicJwks());
  const { kid } = keys.current;
  const [published] = jwks.keys;
  t.deepEqual(published, { kty: 'OKP', crv: 'Ed25519', x: published?.x ?? '', kid, alg: 'EdDSA', use: 'sig' });
  const token = await forge(keys.current);
  const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: jwks.keys.map((key) => ({ ...key })) }), {
    currentDate: new Date(NOW_MS),
  });
  t.is(payload.sub, 'device-1');
});

test('signing keys: after a rotation the newest signs, and tokens of both verify', async (t) => {
  const dir = await dataDir(t);
  const before = await SigningKeys.open(dir);
  const kid = await createSigningKey(dir, Date.now() + 1);
  const after = await SigningKeys.open(dir);
  t.is(after.current.kid, kid);
  t.not(before.current.kid, kid);
  t.is(after.publicJwks().keys.length, 2);
  const verifier = createTokenVerifier({ jwks: after.publicJwks(), apps: ['shop'], now: () => NOW_MS });
  t.is(verifier.verify(await forge(before.current)).deviceId, 'device-1');
  t.is(verifier.verify(await forge(after.current)).deviceId, 'device-1');
  const old = createTokenVerifier({ jwks: before.publicJwks(), apps: ['shop'], now: () => NOW_MS });
  const token = await forge(after.current);
  t.throws(() => old.verify(token), { code: 'TRK_INVALID_TOKEN' });
});

test('signing keys: the file whose name sorts last signs, other files are not keys', async (t) => {
  const dir = await dataDir(t);
  await putKey(dir, '2.json', privateJwk('second'));
  await putKey(dir, '1.json', privateJwk('first'));
  await putKey(dir, '.3.json', 'hidden');
  await putKey(dir, 'README.txt', 'no key');
  const keys = await SigningKeys.open(dir);
  t.is(keys.current.kid, 'second');
  t.deepEqual(
    keys.publicJwks().keys.map((key) => key.kid),
    ['first', 'second'],
  );
});

const refusesMode = test.macro({
  title: (_, mode: number) => `signing keys: a key file of mode ${mode.toString(8)} is refused by name`,
  async exec(t, mode: number) {
    const dir = await dataDir(t);
    const path = await putKey(dir, 'a.json', privateJwk('a'));
    await chmod(path, mode);
    const error = await t.throwsAsync(SigningKeys.open(dir), {
      instanceOf: SecretExposedError,
      code: 'TRK_SECRET_EXPOSED',
    });
    t.true(error?.message.includes(path) && error.message.includes('chmod 0600'));
  },
});
test(refusesMode, 0o640);
test(refusesMode, 0o604);
test(refusesMode, 0o620);

test('signing keys: a directory into which others may put keys is refused', async (t) => {
  const dir = await dataDir(t);
  await putKey(dir, 'a.json', privateJwk('a'));
  await chmod(join(dir, 'keys'), 0o770);
  await t.throwsAsync(SigningKeys.open(dir), { code: 'TRK_SECRET_EXPOSED', message: /chmod 0700/ });
});

const refusesContent = test.macro({
  title: (what) => `signing keys: ${what} is refused, and the error does not quote it`,
  async exec(t, content: unknown) {
    const dir = await dataDir(t);
    await putKey(dir, 'a.json', content);
    const error = await t.throwsAsync(SigningKeys.open(dir), { instanceOf: InvalidKeyError, code: 'TRK_INVALID_KEY' });
    t.false(String(error?.stack).includes('zecret'));
  },
});
const good = privateJwk('good');
test('text that is not JSON', refusesContent, '{ "d": "zecret');
test('a list', refusesContent, ['zecret']);
test('a public key', refusesContent, { ...good, d: undefined });
test('a key without kid', refusesContent, { ...good, kid: undefined });
test('a key whose halves differ', refusesContent, { ...good, x: privateJwk('other')['x'] });
test('a key of another curve', refusesContent, {
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid: 'ec',
});
test('a symmetric key', refusesContent, { kty: 'oct', k: 'zecret', kid: 'k' });
test('a file longer than any key', refusesContent, ' '.repeat(20_000));

test('signing keys: two keys with one kid are refused', async (t) => {
  const dir = await dataDir(t);
  await putKey(dir, 'a.json', privateJwk('same'));
  await putKey(dir, 'b.json', privateJwk('same'));
  await t.throwsAsync(SigningKeys.open(dir), { code: 'TRK_INVALID_KEY', message: /same kid/ });
});

test('signing keys: starts at the same moment on an empty directory leave whole keys only', async (t) => {
  const dir = await dataDir(t);
  await Promise.all(Array.from({ length: 5 }, () => SigningKeys.open(dir)));
  const files = await readdir(join(dir, 'keys'));
  t.true(files.every((name) => name.endsWith('.json')));
  for (const name of files) t.truthy(JSON.parse(await readFile(join(dir, 'keys', name), 'utf8')).d);
  await t.notThrowsAsync(SigningKeys.open(dir));
});

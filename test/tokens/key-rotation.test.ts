/** A rotation in its order, and what is left when it is broken off at any point. */
import { chmod, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { InvalidKeyError, type PublicJwks, SigningKeys, TokenIssuer } from '../../tokens/index.js';
import { dataDir, NOW_MS } from './fixtures.js';

const LIFE_MS = 60_000;
const nobody = async (): Promise<void> => {};
const kidsOf = ({ keys }: PublicJwks) => keys.map(({ kid }) => kid);

async function open(t: ExecutionContext) {
  const dir = await dataDir(t);
  const clock = { nowMs: NOW_MS };
  const reopen = () => SigningKeys.open(dir, { longestLifeMs: LIFE_MS, now: () => clock.nowMs });
  const files = async () => (await readdir(join(dir, 'keys'))).sort();
  return { dir, clock, reopen, files, keys: await reopen() };
}

test('key rotation: verifiers know the new key before it signs', async (t) => {
  const { keys, dir, files } = await open(t);
  const before = keys.current.kid;
  let handedOver: string[] = [];
  const rotation = await keys.rotate(async (jwks) => {
    handedOver = kidsOf(jwks);
    t.is(keys.current.kid, before);
  });
  t.is(keys.current.kid, rotation.kid);
  t.is(rotation.previousKid, before);
  t.is(rotation.previousEndsMs, NOW_MS + LIFE_MS);
  t.deepEqual(handedOver, [before, rotation.kid]);
  t.deepEqual(kidsOf(keys.publicJwks()), handedOver);
  for (const file of await files()) t.is((await stat(join(dir, 'keys', file))).mode & 0o777, 0o600);
  t.is((await stat(join(dir, 'signing.json'))).mode & 0o777, 0o600);
});

test('key rotation: the old key goes when its last token is over, file and all, also across a restart', async (t) => {
  const { keys, clock, files, reopen } = await open(t);
  const { kid, previousKid, previousEndsMs } = await keys.rotate(nobody);
  t.is(keys.nextRetirementMs, previousEndsMs);
  clock.nowMs = previousEndsMs - 1;
  t.deepEqual(await keys.retire(), []);
  const restarted = await reopen();
  t.is(restarted.current.kid, kid);
  t.is(restarted.nextRetirementMs, previousEndsMs);
  t.deepEqual(kidsOf(restarted.publicJwks()), [previousKid, kid]);
  clock.nowMs = previousEndsMs;
  t.deepEqual(await restarted.retire(), [previousKid]);
  t.deepEqual(kidsOf(restarted.publicJwks()), [kid]);
  t.is((await files()).length, 1);
  t.is(restarted.nextRetirementMs, undefined);
  t.deepEqual(kidsOf((await reopen()).publicJwks()), [kid]);
});

test('key rotation: a node that was down at the time removes the old key when it starts', async (t) => {
  const { keys, clock, files, reopen } = await open(t);
  const { kid, previousEndsMs } = await keys.rotate(nobody);
  clock.nowMs = previousEndsMs + 1;
  t.deepEqual(kidsOf((await reopen()).publicJwks()), [kid]);
  t.is((await files()).length, 1);
});

test('key rotation: a longer life that a token was given counts, whatever the configuration says later', async (t) => {
  const { keys } = await open(t);
  const issuer = new TokenIssuer({ keys, now: () => NOW_MS });
  const request = { app: 'shop', deviceId: 'd', businesses: [], groups: {}, ttlMs: 10 * LIFE_MS };
  const { expiresAtMs } = await issuer.issue(request);
  t.true((await keys.rotate(nobody)).previousEndsMs >= expiresAtMs);
});

test('key rotation: when a verifier was not reached the old key signs on, and the next call takes up the new one', async (t) => {
  const { keys, clock, files, reopen } = await open(t);
  const before = keys.current.kid;
  const failure = new Error('worker 1 does not answer');
  await t.throwsAsync(
    keys.rotate(() => Promise.reject(failure)),
    { is: failure },
  );
  t.is(keys.current.kid, before);
  t.is((await files()).length, 2);
  // The date that is on record already is not the end of a key that signs.
  clock.nowMs += 2 * LIFE_MS;
  t.deepEqual(await keys.retire(), []);
  const { kid, previousEndsMs } = await keys.rotate(nobody);
  t.is((await files()).length, 2);
  t.is(previousEndsMs, clock.nowMs + LIFE_MS);
  // A start in between signs with the new key as well.
  t.is((await reopen()).current.kid, kid);
});

test('key rotation: two at the same moment are one', async (t) => {
  const { keys, files } = await open(t);
  const [first, second] = await Promise.all([keys.rotate(nobody), keys.rotate(nobody)]);
  t.is(first.kid, second.kid);
  t.is((await files()).length, 2);
});

test('key rotation: several in a row keep each key for its own time', async (t) => {
  const { keys, clock } = await open(t);
  const first = await keys.rotate(nobody);
  clock.nowMs += LIFE_MS / 2;
  const second = await keys.rotate(nobody);
  t.deepEqual(kidsOf(keys.publicJwks()), [first.previousKid, first.kid, second.kid]);
  clock.nowMs = first.previousEndsMs;
  t.deepEqual(await keys.retire(), [first.previousKid]);
  clock.nowMs = second.previousEndsMs;
  t.deepEqual(await keys.retire(), [first.kid]);
  t.deepEqual(kidsOf(keys.publicJwks()), [second.kid]);
});

test('key rotation: the new file sorts last, whatever name the old one had', async (t) => {
  const { dir, keys, files, reopen } = await open(t);
  const [own = ''] = await files();
  await writeFile(join(dir, 'keys', 'zz-by-hand.json'), await readFile(join(dir, 'keys', own)), { mode: 0o600 });
  await unlink(join(dir, 'keys', own));
  const byHand = await reopen();
  t.is(byHand.current.kid, keys.current.kid);
  const { kid } = await byHand.rotate(nobody);
  t.is((await reopen()).current.kid, kid);
});

test('key rotation: a record that is not in its form stops the start', async (t) => {
  const { dir, reopen } = await open(t);
  for (const text of [
    '{',
    '[]',
    '{"longestLifeMs":"x","retirements":{}}',
    '{"longestLifeMs":1,"retirements":{"a":"b"}}',
  ]) {
    await writeFile(join(dir, 'signing.json'), text);
    await t.throwsAsync(reopen(), { instanceOf: InvalidKeyError, code: 'TRK_INVALID_KEY' });
  }
  await chmod(join(dir, 'signing.json'), 0o644);
  await t.throwsAsync(reopen(), { code: 'TRK_SECRET_EXPOSED' });
});

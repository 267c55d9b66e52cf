import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Revocations, type RevocationsOptions, TooManyRevocationsError } from '../../cluster/revocations.js';
import { InvalidRevocationsError } from '../../cluster/revocations-file.js';
import type { RevocationChange } from '../../tokens/index.js';
import { dataDir, NOW_MS } from '../tokens/fixtures.js';

const LIFE_MS = 60_000;
const TOLERANCE_MS = 10_000;

async function open(t: ExecutionContext, options: Partial<RevocationsOptions> = {}) {
  const dir = options.dataDir ?? (await dataDir(t));
  const clock = { nowMs: NOW_MS };
  const told: RevocationChange[][] = [];
  const distribute = async (changes: readonly RevocationChange[]) => told.push([...changes]);
  const all = { dataDir: dir, longestLifeMs: () => LIFE_MS, distribute, now: () => clock.nowMs, ...options };
  const path = join(dir, 'revocations.json');
  return { revocations: await Revocations.open(all), reopen: () => Revocations.open(all), clock, told, path, dir };
}

test('revocations: each kind becomes rules with their end, told to the workers and kept', async (t) => {
  const { revocations, told, path, reopen } = await open(t);
  const untilMs = NOW_MS + LIFE_MS + TOLERANCE_MS;
  t.deepEqual(await revocations.revoke({ kind: 'token', app: 'shop', jti: 'j' }), { closed: 1, untilMs });
  t.deepEqual(await revocations.revoke({ kind: 'device', app: 'shop', deviceId: 'd' }), { closed: 2, untilMs });
  t.deepEqual(await revocations.revoke({ kind: 'app', app: 'chat', beforeMs: NOW_MS - 5 }), {
    closed: 3,
    untilMs: untilMs - 5,
  });
  t.deepEqual(await revocations.revoke({ kind: 'identity', app: 'shop', deviceId: 'i' }), { closed: 4 });
  t.deepEqual(told, [
    [{ kind: 'token', app: 'shop', jti: 'j', untilMs }],
    [{ kind: 'device', app: 'shop', deviceId: 'd', beforeMs: NOW_MS, untilMs }],
    [{ kind: 'app', app: 'chat', beforeMs: NOW_MS - 5, untilMs: untilMs - 5 }],
    [
      { kind: 'identity', app: 'shop', deviceId: 'i', atMs: NOW_MS },
      { kind: 'device', app: 'shop', deviceId: 'i', beforeMs: NOW_MS, untilMs },
    ],
  ]);
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.deepEqual((await reopen()).rules(), revocations.rules());
  t.is(revocations.size, 5);
});

test('revocations: a moment that lies ahead counts as now', async (t) => {
  const { revocations, told } = await open(t);
  await revocations.revoke({ kind: 'device', app: 'shop', deviceId: 'd', beforeMs: NOW_MS + 1e9 });
  t.like(told[0]?.[0], { beforeMs: NOW_MS });
});

test('revocations: a lifted identity may come back, its old tokens may not', async (t) => {
  const { revocations, told, reopen } = await open(t);
  await revocations.revoke({ kind: 'identity', app: 'shop', deviceId: 'i' });
  t.true(revocations.isIdentityRevoked('shop', 'i'));
  t.true(await revocations.lift('shop', 'i'));
  t.false(await revocations.lift('shop', 'i'));
  t.deepEqual(told[1], [{ kind: 'lift', app: 'shop', deviceId: 'i', atMs: NOW_MS + 1 }]);
  const restarted = await reopen();
  t.false(restarted.isIdentityRevoked('shop', 'i'));
  t.like(restarted.rules(), [{ kind: 'device', deviceId: 'i', beforeMs: NOW_MS }]);
});

test('revocations: what can mean no token any more is forgotten', async (t) => {
  const { revocations, clock, reopen } = await open(t);
  await revocations.revoke({ kind: 'token', app: 'shop', jti: 'j' });
  await revocations.revoke({ kind: 'identity', app: 'shop', deviceId: 'i' });
  clock.nowMs += LIFE_MS + TOLERANCE_MS;
  t.is((await reopen()).size, 1);
  await revocations.revoke({ kind: 'token', app: 'shop', jti: 'k' });
  t.is(revocations.size, 2);
});

test('revocations: there are so many and no more, and an app up to now is the way out', async (t) => {
  const { revocations } = await open(t, { maxRules: 2 });
  await revocations.revoke({ kind: 'token', app: 'shop', jti: '1' });
  await revocations.revoke({ kind: 'token', app: 'shop', jti: '2' });
  await t.throwsAsync(revocations.revoke({ kind: 'token', app: 'shop', jti: '3' }), {
    instanceOf: TooManyRevocationsError,
    code: 'TRK_TOO_MANY_REVOCATIONS',
  });
  await t.notThrowsAsync(revocations.revoke({ kind: 'app', app: 'shop' }));
});

test('revocations: many at once are few writes, and all of them are kept', async (t) => {
  const { revocations, reopen, dir } = await open(t);
  const requests = Array.from({ length: 500 }, (_, i) => ({ kind: 'token', app: 'shop', jti: `j-${i}` }) as const);
  await Promise.all(requests.map((request) => revocations.revoke(request)));
  t.is((await reopen()).size, 500);
  t.deepEqual(await readdir(dir), ['revocations.json']);
});

test('revocations: one that cannot be written is in force all the same, and its caller is told', async (t) => {
  const { revocations, dir, told } = await open(t);
  // As root too: a directory is in the way of the file.
  await mkdir(join(dir, 'revocations.json', 'x'), { recursive: true });
  await t.throwsAsync(revocations.revoke({ kind: 'identity', app: 'shop', deviceId: 'i' }));
  t.true(revocations.isIdentityRevoked('shop', 'i'));
  t.is(told.length, 1);
  await rm(join(dir, 'revocations.json'), { recursive: true });
  await revocations.revoke({ kind: 'token', app: 'shop', jti: 'j' });
  const rules = JSON.parse(await readFile(join(dir, 'revocations.json'), 'utf8')).rules;
  t.is(rules.length, 3);
});

const refusesFile = test.macro({
  title: (what) => `revocations: a file with ${what} stops the start`,
  async exec(t, text: string) {
    const { path, reopen } = await open(t);
    await writeFile(path, text, { mode: 0o600 });
    await t.throwsAsync(reopen(), { instanceOf: InvalidRevocationsError, code: 'TRK_INVALID_REVOCATIONS' });
  },
});
test('half its text', refusesFile, '{"rules":[');
test('no rules', refusesFile, '{}');
test('a rule without an app', refusesFile, '{"rules":[{"kind":"identity","deviceId":"d"}]}');
test('a rule without its end', refusesFile, '{"rules":[{"kind":"token","app":"a","jti":"j"}]}');
test('a rule of a kind that is not known', refusesFile, '{"rules":[{"kind":"lift","app":"a","deviceId":"d"}]}');

test('revocations: a file that others may write stops the start', async (t) => {
  const { path, reopen } = await open(t);
  await writeFile(path, '{"rules":[]}', { mode: 0o600 });
  await chmod(path, 0o660);
  await t.throwsAsync(reopen(), { code: 'TRK_SECRET_EXPOSED' });
});

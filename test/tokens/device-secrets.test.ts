import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { DeviceSecrets, InvalidKeyError, newDeviceId, SecretExposedError } from '../../tokens/index.js';
import { dataDir } from './fixtures.js';

test('device secrets: a secret proves its own device only', async (t) => {
  const secrets = await DeviceSecrets.open(await dataDir(t));
  const secret = secrets.secretOf('shop', 'd-1');
  t.regex(secret, /^[\w-]{43}$/);
  t.true(secrets.verify('shop', 'd-1', secret));
  const others: [string, string, string][] = [
    ['shop', 'd-2', secret],
    ['chat', 'd-1', secret],
    ['sho', 'pd-1', secret],
    ['shop', 'd-1', secret.slice(1)],
    ['shop', 'd-1', `${secret}a`],
    ['shop', 'd-1', ''],
  ];
  for (const [app, deviceId, presented] of others) t.false(secrets.verify(app, deviceId, presented));
});

test('device secrets: the same over restarts, other with another master key', async (t) => {
  const dir = await dataDir(t);
  const secret = (await DeviceSecrets.open(dir)).secretOf('shop', 'd-1');
  t.is((await DeviceSecrets.open(dir)).secretOf('shop', 'd-1'), secret);
  const elsewhere = await DeviceSecrets.open(await dataDir(t));
  t.not(elsewhere.secretOf('shop', 'd-1'), secret);
});

test('device secrets: the master key is made once, for its owner alone', async (t) => {
  const dir = join(await dataDir(t), 'new');
  const opened = await Promise.all(Array.from({ length: 5 }, () => DeviceSecrets.open(dir)));
  t.is(new Set(opened.map((secrets) => secrets.secretOf('shop', 'd'))).size, 1);
  t.deepEqual(await readdir(dir), ['device-secret.key']);
  t.is((await stat(join(dir, 'device-secret.key'))).mode & 0o777, 0o600);
});

test('device secrets: a readable or damaged master key is refused', async (t) => {
  const dir = await dataDir(t);
  await DeviceSecrets.open(dir);
  const path = join(dir, 'device-secret.key');
  await chmod(path, 0o644);
  await t.throwsAsync(DeviceSecrets.open(dir), { instanceOf: SecretExposedError, code: 'TRK_SECRET_EXPOSED' });
  await chmod(path, 0o600);
  await writeFile(path, 'short');
  await t.throwsAsync(DeviceSecrets.open(dir), { instanceOf: InvalidKeyError, code: 'TRK_INVALID_KEY' });
});

test('device secrets: minted ids are short and never alike', (t) => {
  const ids = Array.from({ length: 100 }, newDeviceId);
  t.is(new Set(ids).size, 100);
  for (const id of ids) t.regex(id, /^[\w-]{22}$/);
});

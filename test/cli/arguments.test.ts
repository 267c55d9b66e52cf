import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { parseMetadata } from '../../cli/commands/push.js';
import { groupsByBusiness } from '../../cli/commands/token.js';
import { UsageError } from '../../cli/errors.js';
import { readKey } from '../../cli/key-source.js';

test('--group: pairs are gathered by business', (t) => {
  t.deepEqual(groupsByBusiness(['live:room-1', 'live:room:2', 'im:x*']), { live: ['room-1', 'room:2'], im: ['x*'] });
  for (const wrong of ['live', ':room', 'live:', '']) {
    t.throws(() => groupsByBusiness([wrong]), { instanceOf: UsageError, message: /business:group/ });
  }
});

test('--meta: pairs become a map, the first = splits', (t) => {
  t.deepEqual(parseMetadata(['kind=chat', 'q=a=b', 'empty=']), { kind: 'chat', q: 'a=b', empty: '' });
  for (const wrong of ['kind', '=chat']) {
    t.throws(() => parseMetadata([wrong]), { instanceOf: UsageError, message: /key=value/ });
  }
});

test('key: from the file, else the flag, else the environment', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-key-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const keyFile = join(dir, 'key');
  writeFileSync(keyFile, 'from-file\n');
  const env = { TRUNKLINE_KEY: 'from-env' };
  t.is(readKey({ key: undefined, keyFile }, env), 'from-file');
  t.is(readKey({ key: 'from-flag', keyFile: undefined }, env), 'from-flag');
  t.is(readKey({ key: undefined, keyFile: undefined }, env), 'from-env');
  t.is(readKey({ key: undefined, keyFile: undefined }, { ...env, TRUNKLINE_KEY_FILE: keyFile }), 'from-file');
  t.is(readKey({ key: 'from-flag', keyFile: undefined }, { ...env, TRUNKLINE_KEY_FILE: keyFile }), 'from-flag');
  t.throws(() => readKey({ key: undefined, keyFile: undefined }, {}), { instanceOf: UsageError, code: 'TRK_USAGE' });
  t.throws(() => readKey({ key: undefined, keyFile: join(dir, 'none') }, env), { message: /ENOENT/ });
});

/** The error page and the code agree: every code of ours is explained, and nothing else is. */
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { CloseCode } from '../../protocol/index.js';

const SOURCES = [
  'protocol',
  'transports',
  'actors',
  'upstream',
  'cluster',
  'tokens',
  'config',
  'http',
  'bridge',
  'control',
  'cli',
  'sdk',
  'demo',
];
const ROOT = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/errors.md', ROOT), 'utf8');

function codesInSource(): Set<string> {
  const codes = new Set<string>();
  for (const folder of SOURCES) {
    for (const file of readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const text = readFileSync(new URL(`${folder}/${file}`, ROOT), 'utf8');
      for (const [, code] of text.matchAll(/'(TRK_[A-Z_]+)'/g)) codes.add(code as string);
    }
  }
  return codes;
}

test('errors page: explains every code in the source and no other', (t) => {
  const explained = new Set([...page.matchAll(/`(TRK_[A-Z_]+)`/g)].map(([, code]) => code as string));
  t.deepEqual([...explained].sort(), [...codesInSource()].sort());
});

test('errors page: explains every close code', (t) => {
  for (const code of Object.values(CloseCode)) t.regex(page, new RegExp(`^\\| ${code} \\|`, 'm'));
});

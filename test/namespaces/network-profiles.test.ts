/** The script behind the table of docs/client.md, with one client a figure. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';

const SCRIPT = 'dist/scripts/network-profiles.js';
/** For a candidate that nobody answers. */
const TIMEOUT_MS = 4_000;

interface Row {
  readonly aloneMs: number;
  readonly racingMs: number;
  readonly next: string;
  readonly wonBy: string;
}

async function measure(): Promise<ReadonlyMap<string, Row>> {
  const args = [SCRIPT, '--clients', '1', '--delay', '5', '--timeout', String(TIMEOUT_MS)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const rows = stdout.split('\n').flatMap((line) => {
    const [name = '', alone = '', racing = '', next = '', wonBy = ''] = line.slice(2, -2).split(' | ');
    if (!alone.endsWith(' ms')) return [];
    return [
      [name, { aloneMs: Number.parseInt(alone, 10), racingMs: Number.parseInt(racing, 10), next, wonBy }] as const,
    ];
  });
  return new Map(rows);
}

test('network profiles: each network has the way in that it allows, and racing finds it sooner', async (t) => {
  const rows = await measure();
  t.is(rows.size, 5);
  const rowOf = (name: string): Row => rows.get(name) as Row;

  t.regex(rowOf('UDP blocked').wonBy, /^(tls|wss|tcp|ws) /);
  const only443 = rowOf('everything but 443 blocked');
  t.regex(only443.wonBy, /^wss /);
  t.regex(only443.next, /\(remembered\)$/);
  for (const hanging of [only443, rowOf('first access point a black hole')]) {
    t.true(hanging.aloneMs >= TIMEOUT_MS, 'one at a time waits for what does not answer');
    t.true(hanging.racingMs < hanging.aloneMs);
  }
});

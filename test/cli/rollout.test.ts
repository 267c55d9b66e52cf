import test from 'ava';
import { policiesText } from '../../cli/commands/policy.js';
import { rolloutsText, shareOf } from '../../cli/commands/rollout.js';
import { UsageError } from '../../cli/errors.js';

test('rollout: a share is per cent', (t) => {
  t.deepEqual(['5', '0.5', '25%', '0', '100'].map(shareOf), [5, 0.5, 25, 0, 100]);
  for (const wrong of ['', '-1', '101', 'all', '1e1', ' 5', '5 %'])
    t.throws(() => shareOf(wrong), { instanceOf: UsageError });
});

test('rollout: the list says what counts and since when', (t) => {
  const set = { share: 5, before: 1, atMs: 1_000, node: 'a' };
  const text = rolloutsText(
    [
      { name: 'grow', share: 5, shareInFile: 1, set, policies: ['a', 'b'] },
      { name: 'rest', share: 2, shareInFile: 2, policies: [] },
    ],
    61_000,
  );
  const lines = text.split('\n');
  t.regex(lines[1] ?? '', /^grow {5}5 % +1 % +set 1 min ago +a, b$/);
  t.regex(lines[2] ?? '', /^rest {5}2 % +2 % +as in the file$/);
  t.is(rolloutsText([], 0), 'the policies have no rollout');
});

test('policy status: what is in force, and what is wrong with the file', (t) => {
  const status = { file: '/etc/p.yaml', sinceMs: 0, policies: [{ name: 'a', decisions: 7 }] };
  t.regex(policiesText(status, 60_000), /^\/etc\/p\.yaml, for 1 min\n\nPOLICY +BOOTSTRAPS\na +7$/);
  const refused = { atMs: 1, problems: [{ path: 'policies[0].name', line: 3, message: 'is missing' }] };
  t.regex(
    policiesText({ ...status, refused }, 0),
    /older policies stay:\n {2}line 3, policies\[0\]\.name: is missing\n/,
  );
  t.is(policiesText({ file: null, sinceMs: 0, policies: [] }, 0), 'no policies file');
});

import test from 'ava';
import { judge, type SoakFigures } from '../../scripts/soak/verdict.js';

const MIB = 1024 * 1024;

function measured(name: string, p99Ms: number, own: Partial<SoakFigures['before']> = {}): SoakFigures['before'] {
  return { name, count: 1_000, p50Ms: 1, p99Ms, slowestMs: 100, failures: [], ...own };
}

function figures(own: Partial<SoakFigures> = {}): SoakFigures {
  return {
    before: measured('before', 20),
    during: measured('during', 60),
    after: measured('after', 22),
    heapStartBytes: 100 * MIB,
    heapEndBytes: 101 * MIB,
    tally: { endings: { 'PING flood': { cut: 3 } } },
    closes: { 0: 12, 4507: 3 },
    errors: [],
    ...own,
  };
}

test('soak verdict: users undisturbed, codes as documented, heaps where they began', (t) => {
  t.deepEqual(judge(figures()), []);
});

const FAULTS: readonly (readonly [what: string, own: Partial<SoakFigures>, sentence: RegExp])[] = [
  [
    'a user who was cut off',
    { during: measured('during', 60, { failures: ['went offline'] }) },
    /^a user failed during: /,
  ],
  ['nobody served', { after: measured('after', 0, { count: 0 }) }, /^no user was served after/],
  ['a p99 that stays high', { after: measured('after', 61) }, /^p99 after is 61\.0 ms/],
  ['users starved meanwhile', { during: measured('during', 351) }, /^p99 during is 351\.0 ms/],
  ['heaps that grew', { heapEndBytes: 115 * MIB }, /^the heaps grew to 115\.0 MiB/],
  ['an undocumented ending', { tally: { endings: { noise: { '!4005': 2 } } } }, /^noise: 2 times 4005/],
  ['faults of the node', { closes: { 4005: 1 } }, /^1 connections ended with 4005/],
  ['errors in the log', { errors: ['{"message":"request failed"}'] }, /^the node logged /],
];

for (const [what, own, sentence] of FAULTS) {
  test(`soak verdict: ${what} is told`, (t) => {
    const faults = judge(figures(own));
    t.is(faults.length, 1);
    t.regex(faults[0] ?? '', sentence);
  });
}

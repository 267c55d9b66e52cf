import test from 'ava';
import { median } from '../../../scripts/bench/measure/measured-window.js';
import { aimText, formatNumber, toMarkdown, verdict } from '../../../scripts/bench/measure/report.js';

test('report: an aim is met at its bound, and a figure without one has no verdict', (t) => {
  t.is(verdict({ name: 'a', value: 1.25, unit: 'x', aim: { atMost: 1.25 } }), 'met');
  t.is(verdict({ name: 'a', value: 0.79, unit: 'x', aim: { atLeast: 0.8 } }), 'missed');
  t.is(verdict({ name: 'a', value: Number.NaN, unit: 'x', aim: { atLeast: 0.8 } }), 'missed');
  t.is(verdict({ name: 'a', value: 1, unit: '' }), '');
});

test('report: numbers keep about three digits', (t) => {
  t.deepEqual([0.98765, 12.345, 123.45, 671_234.5].map(formatNumber), ['0.988', '12.35', '123.5', '671,235']);
  t.is(aimText({ name: 'a', value: 1, unit: '/s', aim: { atLeast: 5000 } }), '>= 5,000');
});

test('report: Markdown holds conditions, figures and notes', (t) => {
  const figures = [{ name: 'ratio', value: 1.1, unit: 'x', aim: { atMost: 1.25 } }];
  const text = toMarkdown({ title: 'Live room', conditions: { members: 1000 }, figures, notes: ['n'] });
  t.true(text.includes('| ratio | 1.1 x | <= 1.25 | met |') && text.includes('members: 1000') && text.includes('- n'));
});

test('median: the middle, or the mean of the two in the middle', (t) => {
  t.is(median([3, 1, 2]), 2);
  t.is(median([4, 1, 2, 3]), 2.5);
});

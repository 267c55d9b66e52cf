import test from 'ava';
import { isChoice, isSameWayIn, PROTOCOLS, readWayIn } from '../../demo/way-in.js';

const GOOD = { choice: 'race', protocol: 'quic', why: 'first', losers: 0 };

test('way in: what is in its form is read, what is more is left out', (t) => {
  t.deepEqual(readWayIn({ ...GOOD, more: 1 }), GOOD as ReturnType<typeof readWayIn>);
});

for (const [name, value] of Object.entries({
  'no object': 'quic',
  nothing: null,
  'a protocol that there is not': { ...GOOD, protocol: 'pigeon' },
  'a choice that there is not': { ...GOOD, choice: 'pigeon' },
  'a reason that there is not': { ...GOOD, why: 'luck' },
  'losers that are no number': { ...GOOD, losers: '1' },
  'fewer losers than none': { ...GOOD, losers: -1 },
})) {
  test(`way in: ${name} is not read`, (t) => {
    t.is(readWayIn(value), undefined);
  });
}

test('way in: a choice is one of the protocols, or the race', (t) => {
  for (const choice of [...PROTOCOLS, 'race']) t.true(isChoice(choice), choice);
  t.false(isChoice('RACE'));
});

test('way in: every part counts', (t) => {
  const wayIn = readWayIn(GOOD);
  t.true(isSameWayIn(wayIn, readWayIn(GOOD)));
  t.false(isSameWayIn(wayIn, readWayIn({ ...GOOD, why: 'raced' })));
  t.false(isSameWayIn(wayIn, undefined));
});

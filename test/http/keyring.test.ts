import test from 'ava';
import { createKeyring, SharedKeyError } from '../../http/index.js';

test('keyring: every key of a subject finds it, nothing else does', (t) => {
  const keyring = createKeyring(
    new Map([
      ['im', ['im-key-one', 'im-key-two']],
      ['live', ['live-key']],
    ]),
  );
  t.is(keyring.find('im-key-one'), 'im');
  t.is(keyring.find('im-key-two'), 'im');
  t.is(keyring.find('live-key'), 'live');
  for (const wrong of ['', 'im-key-on', 'im-key-one ', 'IM-KEY-ONE', 'im', 'im-key-oneé']) {
    t.is(keyring.find(wrong), undefined, wrong);
  }
});

test('keyring: thousands of keys are told apart', (t) => {
  const keyring = createKeyring(new Map(Array.from({ length: 5_000 }, (_, i) => [`s${i}`, [`key-${i}`]])));
  for (const i of [0, 1, 2_500, 4_999]) t.is(keyring.find(`key-${i}`), `s${i}`);
  t.is(keyring.find('key-5000'), undefined);
});

test('keyring: one key for two subjects is refused, twice for one is not', (t) => {
  t.throws(
    () =>
      createKeyring(
        new Map([
          ['im', ['same']],
          ['live', ['same']],
        ]),
      ),
    { instanceOf: SharedKeyError, code: 'TRK_SHARED_KEY', message: 'im and live have a key in common' },
  );
  t.is(createKeyring(new Map([['im', ['same', 'same']]])).find('same'), 'im');
});

test('keyring: nobody has a key of an empty one', (t) => {
  t.is(createKeyring(new Map()).find('x'), undefined);
});

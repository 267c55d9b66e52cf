import test from 'ava';
import { Gatherer, THIS_TURN } from '../../actors/gatherer.js';
import { turns, until } from '../support/until.js';

test('gatherer: what is gathered in one turn leaves once, at its end', async (t) => {
  let flushes = 0;
  const gatherer = new Gatherer(() => {
    flushes += 1;
  }, THIS_TURN);
  gatherer.wake();
  gatherer.wake();
  t.is(flushes, 0);
  await turns();
  t.is(flushes, 1);
});

test('gatherer: under load it waits for company, and leaves once', async (t) => {
  let flushes = 0;
  const gatherer = new Gatherer(
    () => {
      flushes += 1;
    },
    () => 5,
  );
  gatherer.wake();
  gatherer.wake();
  await until(() => flushes > 0);
  gatherer.wake();
  gatherer.flush();
  t.is(flushes, 2);
  await turns();
  t.is(flushes, 2, 'a flush by hand takes the place of the one that waited');
});

test('gatherer: cancel forgets what waited', async (t) => {
  const gatherer = new Gatherer(() => t.fail(), THIS_TURN);
  gatherer.wake();
  gatherer.cancel();
  await turns();
  t.pass();
});

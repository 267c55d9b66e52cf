/** What every engine promises of what operators set. */
import test from 'ava';
import { MAX_CONTROL_TEXTS } from '../../../cluster/engines/contract/index.js';
import { until } from '../../support/until.js';
import { createOne, createTwo, type EnginesUnderTest } from './under-test.js';

export function testControlState(name: string, engines: EnginesUnderTest): void {
  test(`${name} control state: a text stands until it is replaced or forgotten`, async (t) => {
    const { controlState } = await createOne(engines, t);
    t.deepEqual([...(await controlState.read())], []);
    await controlState.write('a', '{"share":1}');
    await controlState.write('здесь', 'b');
    t.deepEqual(
      new Map(await controlState.read()),
      new Map([
        ['a', '{"share":1}'],
        ['здесь', 'b'],
      ]),
    );
    await controlState.write('a', 'other');
    await controlState.write('здесь', undefined);
    await controlState.write('nobody', undefined);
    t.deepEqual([...(await controlState.read())], [['a', 'other']]);
  });

  test(`${name} control state: the last of many writes at once stands`, async (t) => {
    const { controlState } = await createOne(engines, t);
    await Promise.all(Array.from({ length: 20 }, (_, i) => controlState.write('a', String(i))));
    t.deepEqual([...(await controlState.read())], [['a', '19']]);
  });

  test(`${name} control state: there is a bound to names, and room again when one is forgotten`, async (t) => {
    const { controlState } = await createOne(engines, t);
    for (let i = 0; i < MAX_CONTROL_TEXTS; i++) await controlState.write(`n${i}`, 'x');
    await t.throwsAsync(controlState.write('more', 'x'), { code: 'TRK_CONTROL_STATE_FULL' });
    await controlState.write('n0', 'known names may change');
    await controlState.write('n1', undefined);
    await controlState.write('more', 'x');
    t.is((await controlState.read()).size, MAX_CONTROL_TEXTS);
  });

  test(`${name} control state: who listens is told, until they stop`, async (t) => {
    const { controlState } = await createOne(engines, t);
    let told = 0;
    const stop = controlState.onChange(() => {
      told += 1;
    });
    await controlState.write('a', '1');
    await until(() => told > 0);
    stop();
    const before = told;
    await controlState.write('a', '2');
    t.is(told, before);
  });

  if (!engines.spansNodes) return;

  test(`${name} control state: what one node writes another is told of and reads`, async (t) => {
    const [here, there] = await createTwo(engines, t);
    let told = 0;
    there.controlState.onChange(() => {
      told += 1;
    });
    await here.controlState.write('a', '1');
    await until(() => told > 0);
    t.deepEqual([...(await there.controlState.read())], [['a', '1']]);
  });
}

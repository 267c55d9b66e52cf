/** What every engine promises of the bus. */
import test, { type ExecutionContext } from 'ava';
import type { BusMulticast } from '../../../actors/index.js';
import type { Engine } from '../../../cluster/engines/contract/index.js';
import { until } from '../../support/until.js';
import {
  bytesOf,
  createOne,
  createTwo,
  type EnginesUnderTest,
  NOBODY,
  NODE,
  ODD_NAMES,
  OTHER_NODE,
  textOf,
} from './under-test.js';

export function testBus(name: string, engines: EnginesUnderTest): void {
  test(`${name} bus: what is sent to a node arrives there, at another it does not`, async (t) => {
    const { bus } = await createOne(engines, t);
    t.false(await bus.send(NODE, bytesOf('before it is open')));
    const { messages } = await receive(bus, NODE);
    t.true(await bus.send(NODE, bytesOf('hello')));
    await until(() => messages.length > 0);
    t.false(await bus.send(NOBODY, bytesOf('nobody')));
    t.deepEqual(messages.map(textOf), ['hello']);
  });

  test(`${name} bus: a sender is through with sending before it receives`, async (t) => {
    const { bus } = await createOne(engines, t);
    const { messages } = await receive(bus, NODE);
    const sent = bus.send(NODE, bytesOf('x'));
    t.is(messages.length, 0);
    t.true(await sent);
    await until(() => messages.length > 0);
    t.pass();
  });

  test(`${name} bus: messages arrive as they are and in order, whatever their length`, async (t) => {
    const { bus } = await createOne(engines, t);
    const { messages } = await receive(bus, NODE);
    const sent: Uint8Array[] = [0, 1, 255, 70_000, 3_000_000, 0, 12, 900_000].map((length, i) =>
      new Uint8Array(length).fill(i),
    );
    for (let i = 0; i < 500; i++) sent.push(bytesOf(`message ${i}`));
    t.true((await Promise.all(sent.map((bytes) => bus.send(NODE, bytes)))).every(Boolean));
    await until(() => messages.length === sent.length);
    t.true(messages.every((bytes, i) => Buffer.compare(bytes, sent[i] as Uint8Array) === 0));
  });

  test(`${name} bus: a multicast takes the group's next number, whether anybody listens or not`, async (t) => {
    const { bus, groups } = await createOne(engines, t);
    const { multicasts } = await receive(bus, NODE);
    t.is(await bus.multicast(1, 'room', bytesOf('too early')), undefined);
    await groups.create(1, 'room');
    t.deepEqual(await bus.multicast(1, 'room', bytesOf('one')), { offset: 1, receivers: 0 });
    await bus.listen(1, 'room');
    await bus.listen(1, 'room');
    t.deepEqual(await bus.multicast(1, 'room', bytesOf('two')), { offset: 2, receivers: 1 });
    await until(() => multicasts.length > 0);
    await bus.unlisten(1, 'room');
    await bus.unlisten(1, 'room');
    t.deepEqual(await bus.multicast(1, 'room', bytesOf('three')), { offset: 3, receivers: 0 });
    t.is((await groups.get(1, 'room'))?.offset, 3);
    t.deepEqual(multicasts.map(told), [[1, 'room', 2, 'two']]);
    await groups.dissolve(1, 'room');
    t.is(await bus.multicast(1, 'room', bytesOf('too late')), undefined);
  });

  test(`${name} bus: multicasts at once are numbered in the order they were given, without a hole`, async (t) => {
    const { bus, groups } = await createOne(engines, t);
    const { multicasts } = await receive(bus, NODE);
    await groups.create(1, 'room');
    await bus.listen(1, 'room');
    const bodies = Array.from({ length: 500 }, (_, i) => `body ${i}`);
    const published = await Promise.all(bodies.map((body) => bus.multicast(1, 'room', bytesOf(body))));
    t.deepEqual(
      published,
      bodies.map((_, i) => ({ offset: i + 1, receivers: 1 })),
    );
    await until(() => multicasts.length === bodies.length);
    t.deepEqual(
      multicasts.map(told),
      bodies.map((body, i) => [1, 'room', i + 1, body]),
    );
  });

  test(`${name} bus: groups are told apart by business and name, odd ones too`, async (t) => {
    const { bus, groups } = await createOne(engines, t);
    const { multicasts } = await receive(bus, NODE);
    for (const group of ODD_NAMES) {
      for (const businessId of [1, 2]) await groups.create(businessId, group);
      await bus.listen(2, group);
    }
    for (const [i, group] of ODD_NAMES.entries()) {
      t.deepEqual(await bus.multicast(1, group, new Uint8Array(0)), { offset: 1, receivers: 0 });
      t.deepEqual(await bus.multicast(2, group, bytesOf(`${i}`)), { offset: 1, receivers: 1 });
    }
    await until(() => multicasts.length === ODD_NAMES.length);
    // In whatever order: on a Cluster they come from several servers.
    t.deepEqual(multicasts.map(told).sort(byBody), ODD_NAMES.map((group, i) => [2, group, 1, `${i}`]).sort(byBody));
  });

  test(`${name} bus: who listens, stops and listens again at once listens`, async (t) => {
    const { bus, groups } = await createOne(engines, t);
    await receive(bus, NODE);
    await groups.create(1, 'room');
    for (let i = 0; i < 10; i++) {
      void bus.listen(1, 'room');
      void bus.unlisten(1, 'room');
      await bus.listen(1, 'room');
      t.is((await bus.multicast(1, 'room', new Uint8Array(1)))?.receivers, 1);
      void bus.unlisten(1, 'room');
    }
    await bus.unlisten(1, 'room');
    await bus.listen(1, 'other');
    t.is((await bus.multicast(1, 'room', new Uint8Array(1)))?.receivers, 0);
  });

  if (!engines.spansNodes) return;

  test(`${name} bus: nodes reach each other, and each only what is for it`, async (t) => {
    const { one, other, ofOne, ofOther } = await createPair(engines, t);
    t.true(await one.bus.send(OTHER_NODE, bytesOf('from one')));
    t.true(await other.bus.send(NODE, bytesOf('from other')));
    await until(() => ofOne.messages.length > 0 && ofOther.messages.length > 0);
    t.deepEqual([ofOne.messages.map(textOf), ofOther.messages.map(textOf)], [['from other'], ['from one']]);
    await other.close();
    t.false(await one.bus.send(OTHER_NODE, bytesOf('after its end')));
  });

  test(`${name} bus: a multicast reaches every node that listens, the sender included`, async (t) => {
    const { one, other, ofOne, ofOther } = await createPair(engines, t);
    await one.groups.create(1, 'room');
    await one.bus.listen(1, 'room');
    t.deepEqual(await other.bus.multicast(1, 'room', bytesOf('a')), { offset: 1, receivers: 1 });
    await other.bus.listen(1, 'room');
    t.deepEqual(await one.bus.multicast(1, 'room', bytesOf('b')), { offset: 2, receivers: 2 });
    await until(() => ofOne.multicasts.length === 2 && ofOther.multicasts.length === 1);
    await one.bus.unlisten(1, 'room');
    t.deepEqual(await one.bus.multicast(1, 'room', bytesOf('c')), { offset: 3, receivers: 1 });
    await until(() => ofOther.multicasts.length === 2);
    t.deepEqual(ofOne.multicasts.map(told), [
      [1, 'room', 1, 'a'],
      [1, 'room', 2, 'b'],
    ]);
    t.deepEqual(ofOther.multicasts.map(told), [
      [1, 'room', 2, 'b'],
      [1, 'room', 3, 'c'],
    ]);
  });

  test(`${name} bus: multicasts of two nodes share one numbering, seen alike by both`, async (t) => {
    const { one, other, ofOne, ofOther } = await createPair(engines, t);
    await one.groups.create(1, 'room');
    await Promise.all([one.bus.listen(1, 'room'), other.bus.listen(1, 'room')]);
    const published = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        (i % 2 === 0 ? one : other).bus.multicast(1, 'room', bytesOf(i % 2 === 0 ? 'one' : 'other')),
      ),
    );
    t.deepEqual(
      published.map((each) => each?.offset ?? 0).sort((a, b) => a - b),
      published.map((_, i) => i + 1),
    );
    await until(() => ofOne.multicasts.length === 200 && ofOther.multicasts.length === 200);
    t.deepEqual(ofOne.multicasts.map(told), ofOther.multicasts.map(told));
    t.true(ofOne.multicasts.every(({ offset }, i) => offset === i + 1));
  });
}

interface Received {
  readonly messages: Uint8Array[];
  readonly multicasts: BusMulticast[];
}

/** Opens a bus that keeps what it is handed. */
export async function receive(bus: Engine['bus'], incarnation: string): Promise<Received> {
  const messages: Uint8Array[] = [];
  const multicasts: BusMulticast[] = [];
  await bus.open(incarnation, {
    onMessage: (bytes) => messages.push(bytes),
    onMulticast: (multicast) => multicasts.push(multicast),
  });
  return { messages, multicasts };
}

async function createPair(engines: EnginesUnderTest, t: ExecutionContext) {
  const [one, other] = await createTwo(engines, t);
  return { one, other, ofOne: await receive(one.bus, NODE), ofOther: await receive(other.bus, OTHER_NODE) };
}

function told({ businessId, group, offset, body }: BusMulticast) {
  return [businessId, group, offset, textOf(body)];
}

function byBody(a: unknown[], b: unknown[]): number {
  return Number(a.at(-1)) - Number(b.at(-1));
}

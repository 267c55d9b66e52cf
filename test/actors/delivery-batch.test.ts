import test from 'ava';
import fc from 'fast-check';
import {
  type CallItem,
  type CancelItem,
  type DeliveryItem,
  decodeDeliveries,
  encodeDeliveries,
  type MulticastItem,
  type PushItem,
} from '../../actors/delivery-batch.js';
import { decodeOutcomes, OutcomeCode, OutcomeWriter } from '../../actors/outcome-batch.js';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const frame = fc.uint8Array({ maxLength: 300 });
const position = fc.maxSafeNat();
const waiting = { flags: fc.integer({ min: 0, max: 0x7f }), expiresAtMs: fc.maxSafeNat() };

const push: fc.Arbitrary<PushItem> = fc
  .record({
    ...waiting,
    pushId: u32,
    businessId: u16,
    targets: fc.array(fc.tuple(u16, position), { maxLength: 20 }),
    frame,
  })
  .map(({ targets, ...rest }) => ({
    kind: 'push',
    ...rest,
    indexes: targets.map(([index]) => index),
    serials: targets.map(([, serial]) => serial),
  }));

const multicast: fc.Arbitrary<MulticastItem> = fc
  .record({
    ...waiting,
    pushId: u32,
    businessId: u16,
    group: fc.string({ unit: 'binary', maxLength: 40 }),
    offset: position,
    frame,
  })
  .map((item) => ({ kind: 'multicast', ...item }));

const call: fc.Arbitrary<CallItem> = fc
  .record({ callId: u32, businessId: u16, serial: position, frame })
  .map((item) => ({ kind: 'call', ...item }));

const cancel: fc.Arbitrary<CancelItem> = fc
  .record({ callId: u32, serial: position })
  .map((item) => ({ kind: 'cancel', ...item }));

const plain = (item: DeliveryItem) => ('frame' in item ? { ...item, frame: [...item.frame] } : item);

test('delivery batch: any pushes, multicasts and calls come out as they went in', (t) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(push, multicast, call, cancel), { maxLength: 20 }), (items) => {
      const decoded = decodeDeliveries(encodeDeliveries(items));
      t.deepEqual(decoded.map(plain), items.map(plain));
    }),
  );
});

test('delivery batch: the bytes of a push are these', (t) => {
  const item: PushItem = {
    kind: 'push',
    pushId: 0x01020304,
    businessId: 7,
    flags: 0,
    expiresAtMs: 0,
    indexes: [2],
    serials: [1],
    frame: Buffer.from('hi'),
  };
  const hex = (one: DeliveryItem) => Buffer.from(encodeDeliveries([one])).toString('hex');
  t.is(hex(item), '010001020304000700010000000200023ff00000000000006869');
  t.is(
    hex({ ...item, flags: 3, expiresAtMs: 1 }),
    '0183010203040007000100000002' + '3ff0000000000000' + '00023ff00000000000006869',
  );
});

test('delivery batch: a batch has a buffer of its own, which a thread may be given whole', (t) => {
  const batch = encodeDeliveries([
    {
      kind: 'multicast',
      pushId: 1,
      businessId: 1,
      flags: 0,
      expiresAtMs: 0,
      group: 'g',
      offset: 1,
      frame: Buffer.from('x'),
    },
  ]);
  t.is(batch.buffer.byteLength, batch.length);
});

const outcome = fc.record({
  pushId: u32,
  index: u16,
  code: fc.constantFrom(...Object.values(OutcomeCode)),
  members: u32,
});

test('delivery batch: any outcomes come out as they went in, again and again', (t) => {
  const writer = new OutcomeWriter();
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 200 }), (outcomes) => {
      t.true(writer.isEmpty);
      for (const { pushId, index, code, members } of outcomes) writer.add(pushId, index, code, members);
      t.is(writer.isEmpty, outcomes.length === 0);
      t.deepEqual([...decodeOutcomes(writer.take())], outcomes);
    }),
  );
});

test('delivery batch: outcomes that were taken are not touched by later ones', (t) => {
  const writer = new OutcomeWriter();
  writer.add(1, 0, OutcomeCode.delivered, 0);
  const first = writer.take();
  writer.add(2, 0, OutcomeCode.slow, 0);
  t.is([...decodeOutcomes(first)][0]?.pushId, 1);
});

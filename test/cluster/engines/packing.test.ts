import test from 'ava';
import fc from 'fast-check';
import { packItems, unpackItems } from '../../../cluster/engines/redis/packing.js';

const bytes = (...values: number[]) => Buffer.from(values);

test('packing: two items are a version and each its length and bytes', (t) => {
  t.deepEqual(packItems([bytes(7, 8), bytes()]), bytes(1, 0, 0, 0, 2, 7, 8, 0, 0, 0, 0));
  t.deepEqual(unpackItems(bytes(1, 0, 0, 0, 2, 7, 8, 0, 0, 0, 0)), [bytes(7, 8), bytes()]);
  t.deepEqual(unpackItems(packItems([])), []);
});

test('packing: of another version, cut off or too long, nothing is read', (t) => {
  for (const damaged of [
    bytes(),
    bytes(2, 0, 0, 0, 1, 7),
    bytes(1, 0, 0, 0),
    bytes(1, 0, 0, 0, 2, 7),
    bytes(1, 0, 0, 0, 1, 7, 0),
    bytes(1, 0, 0, 0, 1, 7, 255, 255, 255, 255),
  ]) {
    t.deepEqual(unpackItems(damaged), []);
  }
});

test('packing: what was packed comes back, and any bytes do no harm', (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (items) => {
      t.deepEqual(
        unpackItems(packItems(items)).map((item) => [...item]),
        items.map((item) => [...item]),
      );
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (any) => {
      const items = unpackItems(Buffer.from([1, ...any]));
      t.true(items.reduce((sum, { length }) => sum + length, 0) <= any.length);
    }),
  );
});

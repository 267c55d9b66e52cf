import test from 'ava';
import fc from 'fast-check';
import type { DeliveryItem } from '../../actors/delivery-batch.js';
import { decodeMulticast, encodeDissolve, encodeMulticast } from '../../actors/multicast-body.js';
import { OutcomeCode, OutcomeWriter } from '../../actors/outcome-batch.js';
import { decodePeerMessage, PeerBatchWriter } from '../../actors/peer-batch.js';

const ORIGIN = '4f1c2ab09d3e5f60';
const FRAME = Buffer.from('0000030801ffff', 'hex');

test('peer batch: the form on the wire', (t) => {
  const writer = new PeerBatchWriter(ORIGIN);
  writer.tell({ worker: 2, topic: 'a', message: {} });
  writer.multicasts([{ id: 1, workers: 2, members: 3, unanswered: 4, overloaded: 5 }]);
  t.is(
    Buffer.from(writer.finish()).toString('hex'),
    `01${ORIGIN}0400020000000${8}${Buffer.from('["a",{}]').toString('hex')}0700000000000e0000000100020000000300040005`,
  );
});

test('peer batch: every kind of section comes back as it was put in', (t) => {
  const items: DeliveryItem[] = [
    {
      kind: 'push',
      pushId: 9,
      businessId: 7,
      flags: 3,
      expiresAtMs: 0,
      indexes: [0, 4],
      serials: [11, 2 ** 40],
      frame: FRAME,
    },
    { kind: 'call', callId: 8, businessId: 7, serial: 12, frame: FRAME },
    { kind: 'cancel', callId: 8, serial: 12 },
  ];
  const outcomes = new OutcomeWriter();
  outcomes.add(9, 4, OutcomeCode.unreachable, 0);
  const writer = new PeerBatchWriter(ORIGIN);
  writer.deliveries(1, items, 0);
  writer.outcomes(3, outcomes);
  writer.replies(1, [FRAME, FRAME]);
  writer.tell({ worker: 0, topic: 'revokeGrant', message: { serial: 1, businessId: 2 } });
  writer.ask({ worker: 0, id: 5, topic: 'joinMembers', message: { group: 'ж' } });
  writer.answer({ id: 5, answer: { results: ['joined'] } });
  writer.answer({ id: 6 });
  writer.multicasts([{ id: 1, workers: 2, members: 70_000, unanswered: 1, overloaded: 0 }]);
  t.deepEqual(decodePeerMessage(writer.finish(), 0), {
    origin: ORIGIN,
    sections: [
      { kind: 'deliveries', worker: 1, items },
      { kind: 'outcomes', worker: 3, outcomes: [{ pushId: 9, index: 4, code: OutcomeCode.unreachable, members: 0 }] },
      { kind: 'replies', worker: 1, frames: Buffer.concat([FRAME, FRAME]) },
      { kind: 'tell', worker: 0, topic: 'revokeGrant', message: { serial: 1, businessId: 2 } },
      { kind: 'ask', worker: 0, id: 5, topic: 'joinMembers', message: { group: 'ж' } },
      { kind: 'answer', id: 5, answer: { results: ['joined'] } },
      { kind: 'answer', id: 6, answer: undefined },
      { kind: 'multicasts', answers: [{ id: 1, workers: 2, members: 70_000, unanswered: 1, overloaded: 0 }] },
    ],
  });
});

for (const [leftMs, atMs] of [
  [500, 90_500],
  [-10, 89_990],
  // Not 0, which would say that it has no time to live.
  [0, 89_999],
] as const) {
  test(`peer batch: ${leftMs} ms of a time to live are so many by another clock`, (t) => {
    const writer = new PeerBatchWriter(ORIGIN);
    const item = {
      kind: 'push',
      pushId: 9,
      businessId: 7,
      flags: 0,
      indexes: [0],
      serials: [1],
      frame: FRAME,
    } as const;
    writer.deliveries(0, [{ ...item, expiresAtMs: 1_000_000 + leftMs }], 1_000_000);
    const section = decodePeerMessage(writer.finish(), 90_000)?.sections[0];
    t.like(section?.kind === 'deliveries' ? section.items[0] : undefined, { expiresAtMs: atMs });
  });
}

test('peer batch: a message cut short anywhere, or of another version, is none', (t) => {
  const writer = new PeerBatchWriter(ORIGIN);
  writer.deliveries(0, [{ kind: 'call', callId: 8, businessId: 7, serial: 12, frame: FRAME }], 0);
  const whole = writer.finish();
  t.truthy(decodePeerMessage(whole, 0));
  for (let end = 0; end < whole.length; end++) {
    if (end !== 9) t.is(decodePeerMessage(whole.subarray(0, end), 0), undefined, `${end}`);
  }
  t.is(decodePeerMessage(Buffer.concat([Buffer.from([2]), whole.subarray(1)]), 0), undefined);
});

test('peer batch: no bytes make the decoders throw', (t) => {
  const anything = fc.uint8Array({ maxLength: 80 });
  fc.assert(
    fc.property(anything, fc.integer({ min: 0, max: 8 }), (bytes, kind) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      const head = Buffer.from(`01${ORIGIN}0${kind}0000${length.toString('hex')}`, 'hex');
      decodePeerMessage(bytes, 0);
      decodePeerMessage(Buffer.concat([head, bytes]), 0);
      decodeMulticast(bytes);
      decodeMulticast(Buffer.concat([Buffer.from(`0101${ORIGIN}`, 'hex'), bytes]));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('multicast body: a message and a dissolution come back as they were put in', (t) => {
  const message = { businessId: 300, messageId: 'm', metadata: { k: 'v' }, payload: Buffer.from('hi'), ttlMs: 5_000 };
  const body = decodeMulticast(encodeMulticast(ORIGIN, 77, { ...message, priority: 'high' }));
  t.like(body, { kind: 'message', origin: ORIGIN, id: 77, flags: 2, ttlMs: 5_000 });
  t.like(body?.kind === 'message' ? body.push : undefined, { businessId: 300, messageId: 'm' });
  t.deepEqual(decodeMulticast(encodeDissolve(ORIGIN)), { kind: 'dissolve' });
});

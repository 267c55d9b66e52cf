/** fast-check arbitraries: any frame within the limits, any cutting of bytes into chunks. */
import fc from 'fast-check';
import { type Frame, FrameType, utf8Length } from '../../protocol/index.js';

const number = fc.oneof(
  fc.nat(70),
  fc.maxSafeNat(),
  fc.constantFrom(63, 64, 16_383, 16_384, 2 ** 30 - 1, 2 ** 30, Number.MAX_SAFE_INTEGER),
);

function text(maxBytes: number): fc.Arbitrary<string> {
  return fc
    .oneof(fc.string({ maxLength: 100 }), fc.string({ unit: 'binary', maxLength: 100 }))
    .filter((value) => utf8Length(value) <= maxBytes);
}

const name = text(128);
const bytes = fc.uint8Array({ maxLength: 300 });
const key = fc.oneof(name, fc.constantFrom('__proto__', 'constructor', 'toString', '0', '10', '9', ''));

const map = fc
  .uniqueArray(fc.tuple(key, text(4_096)), { maxLength: 8, selector: ([unique]) => unique })
  .map((pairs) => Object.assign(Object.create(null), Object.fromEntries(pairs)) as Record<string, string>);

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const resume = fc.record({
  sessionId: name,
  secret: fc.uint8Array({ maxLength: 64 }),
  sequences: fc.array(fc.record({ businessId: number, sequence: number }), { maxLength: 64 }),
});

const FIELDS = {
  connect: { minVersion: number, maxVersion: number, token: text(4_096), attributes: map, resume: optional(resume) },
  connack: {
    status: number,
    version: number,
    connectionId: name,
    sessionId: name,
    resumeSecret: fc.uint8Array({ maxLength: 64 }),
    resumed: fc.boolean(),
    heartbeatMs: number,
    serverTimeMs: number,
    maxFrameBytes: number,
    maxInFlight: number,
    maxGroups: number,
    businesses: fc.array(fc.record({ id: number, name }), { maxLength: 64 }),
  },
  ping: { opaque: number },
  pong: { opaque: number },
  request: { requestId: number, businessId: number, method: name, metadata: map, deadlineMs: number, payload: bytes },
  response: { requestId: number, status: number, metadata: map, payload: bytes },
  cancel: { requestId: number },
  push: {
    businessId: number,
    messageId: name,
    multicast: optional(fc.record({ group: name, offset: number })),
    sequence: optional(number),
    metadata: map,
    payload: bytes,
  },
  ack: { businessId: number, sequence: number },
  join: {
    requestId: number,
    businessId: number,
    group: name,
    recover: optional(fc.record({ epoch: name, offset: number })),
  },
  leave: { requestId: number, businessId: number, group: name },
  auth: { requestId: number, token: text(4_096) },
  gap: { businessId: number, group: name, dropped: number, reason: number },
  goaway: { reason: number, windowMs: number, accessPoint: text(256) },
  close: { code: number, reason: text(123) },
  report: { measurements: map },
} satisfies Record<keyof typeof FrameType, Record<string, fc.Arbitrary<unknown>>>;

export const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  ...Object.entries(FIELDS).map(([frame, fields]) =>
    fc
      .record(fields as Record<string, fc.Arbitrary<unknown>>)
      .map((values) => ({ ...values, type: FrameType[frame as keyof typeof FrameType] }) as unknown as Frame),
  ),
);

/** Where to cut, as fractions of the whole. */
export const anyCuts: fc.Arbitrary<readonly number[]> = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
  maxLength: 12,
});

export function cut(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const positions = cuts.map((fraction) => Math.round(fraction * whole.length)).sort((a, b) => a - b);
  return [0, ...positions].map((start, i) => whole.subarray(start, positions[i] ?? whole.length));
}

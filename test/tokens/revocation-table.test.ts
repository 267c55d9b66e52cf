import test from 'ava';
import { LIFT_KEPT_MS, type RevocableClaims, type RevocationChange, RevocationTable } from '../../tokens/index.js';

const CLAIMS: RevocableClaims = { app: 'shop', deviceId: 'd-1', jti: 'j-1', issuedAtMs: 1_000 };
const of = (changes: Partial<RevocableClaims>): RevocableClaims => ({ ...CLAIMS, ...changes });

test('revocation table: nothing is revoked while there is nothing', (t) => {
  const table = new RevocationTable();
  t.is(table.size, 0);
  t.false(table.isRevoked(CLAIMS));
});

test('revocation table: one token, of one app', (t) => {
  const table = new RevocationTable([{ kind: 'token', app: 'shop', jti: 'j-1', untilMs: 5 }]);
  t.true(table.isRevoked(CLAIMS));
  t.false(table.isRevoked(of({ jti: 'j-2' })));
  t.false(table.isRevoked(of({ app: 'chat' })));
});

test('revocation table: what a device was issued up to a moment, that moment included', (t) => {
  const table = new RevocationTable([
    { kind: 'device', app: 'shop', deviceId: 'd-1', beforeMs: 1_000, untilMs: 5_000 },
  ]);
  t.true(table.isRevoked(CLAIMS));
  t.false(table.isRevoked(of({ issuedAtMs: 1_001 })));
  t.false(table.isRevoked(of({ deviceId: 'd-2' })));
  t.false(table.isRevoked(of({ app: 'chat' })));
});

test('revocation table: what all devices of an app were issued up to a moment', (t) => {
  const table = new RevocationTable([{ kind: 'app', app: 'shop', beforeMs: 1_000, untilMs: 5_000 }]);
  t.true(table.isRevoked(of({ deviceId: 'd-2' })));
  t.false(table.isRevoked(of({ issuedAtMs: 1_001 })));
  t.false(table.isRevoked(of({ app: 'chat' })));
});

test('revocation table: a later cut holds, an earlier one takes nothing back', (t) => {
  const table = new RevocationTable();
  for (const beforeMs of [2_000, 3_000, 1_000]) {
    table.apply({ kind: 'device', app: 'shop', deviceId: 'd-1', beforeMs, untilMs: beforeMs });
  }
  t.true(table.isRevoked(of({ issuedAtMs: 3_000 })));
  t.is(table.size, 1);
});

test('revocation table: an identity until it is lifted', (t) => {
  const table = new RevocationTable([{ kind: 'identity', app: 'shop', deviceId: 'd-1' }]);
  t.true(table.isRevoked(of({ issuedAtMs: Number.MAX_SAFE_INTEGER })));
  t.true(table.isIdentityRevoked('shop', 'd-1'));
  t.false(table.isIdentityRevoked('chat', 'd-1'));
  t.true(table.apply({ kind: 'lift', app: 'shop', deviceId: 'd-1', atMs: 1 }));
  t.false(table.isRevoked(CLAIMS));
});

test('revocation table: the same changes end in the same table, in whatever order and however often they come', (t) => {
  const identity = { kind: 'identity', app: 'shop', deviceId: 'd-1' } as const;
  const lift = { kind: 'lift', app: 'shop', deviceId: 'd-1' } as const;
  const changes: RevocationChange[] = [
    { ...identity, atMs: 10 },
    { ...lift, atMs: 20 },
    { ...identity, atMs: 15 },
    { kind: 'device', app: 'shop', deviceId: 'd-1', beforeMs: 10, untilMs: 70 },
    { kind: 'device', app: 'shop', deviceId: 'd-1', beforeMs: 15, untilMs: 75 },
    { kind: 'token', app: 'shop', jti: 'j', untilMs: 90 },
  ];
  const expected = new RevocationTable(changes).rules();
  t.false(new RevocationTable(changes).isIdentityRevoked('shop', 'd-1'));
  for (let turn = 0; turn < changes.length; turn++) {
    const turned = [...changes.slice(turn), ...changes.slice(0, turn)];
    const table = new RevocationTable([...turned, ...turned.reverse()]);
    t.deepEqual(table.rules(), expected);
    t.false(
      changes.some((change) => table.apply(change)),
      'nothing is news',
    );
  }
  const sameMoment = new RevocationTable([
    { ...identity, atMs: 5 },
    { ...lift, atMs: 5 },
  ]);
  t.true(sameMoment.isIdentityRevoked('shop', 'd-1'), 'what takes back is believed');
});

test('revocation table: a lift is remembered for a month', (t) => {
  const table = new RevocationTable([{ kind: 'lift', app: 'shop', deviceId: 'd-1', atMs: 20 }]);
  t.is(table.size, 0);
  table.prune(20 + LIFT_KEPT_MS - 1);
  t.false(table.apply({ kind: 'identity', app: 'shop', deviceId: 'd-1', atMs: 10 }));
  table.prune(20 + LIFT_KEPT_MS);
  t.deepEqual(table.rules(), []);
});

test('revocation table: rules whose time is over are forgotten, an identity never', (t) => {
  const table = new RevocationTable([
    { kind: 'token', app: 'shop', jti: 'j-1', untilMs: 10 },
    { kind: 'device', app: 'shop', deviceId: 'd-1', beforeMs: 1, untilMs: 20 },
    { kind: 'app', app: 'shop', beforeMs: 1, untilMs: 30 },
    { kind: 'identity', app: 'shop', deviceId: 'd-9' },
  ]);
  t.false(table.prune(9));
  t.true(table.prune(20));
  t.is(table.size, 2);
  t.true(table.prune(Number.MAX_SAFE_INTEGER));
  t.deepEqual(table.rules(), [{ kind: 'identity', app: 'shop', deviceId: 'd-9', atMs: 0 }]);
});

test('revocation table: its rules make the same table again, names with zero bytes and all', (t) => {
  const rules = new RevocationTable([
    { kind: 'app', app: 'shop', beforeMs: 1, untilMs: 30 },
    { kind: 'device', app: 'shop', deviceId: 'a\0b', beforeMs: 1, untilMs: 20 },
    { kind: 'identity', app: 'shop', deviceId: 'gerät' },
    { kind: 'token', app: 'shop', jti: '\0', untilMs: 10 },
  ]).rules();
  t.is(rules.length, 4);
  t.deepEqual(new RevocationTable(structuredClone(rules)).rules(), rules);
});

import test from 'ava';
import { revocationBody } from '../../cli/commands/revoke.js';
import { UsageError } from '../../cli/errors.js';

const ARGS = {
  app: 'shop',
  jti: undefined,
  device: undefined,
  identity: false,
  before: undefined,
  all: false,
  lift: false,
  admin: false,
  json: false,
};

test('revoke: flags become the body of the API', (t) => {
  t.deepEqual(revocationBody({ ...ARGS, jti: 'id-1' }), { app: 'shop', jti: 'id-1' });
  t.deepEqual(revocationBody({ ...ARGS, device: 'till' }), { app: 'shop', deviceId: 'till' });
  t.deepEqual(revocationBody({ ...ARGS, device: 'till', identity: true }), {
    app: 'shop',
    deviceId: 'till',
    identity: true,
  });
  t.deepEqual(revocationBody({ ...ARGS, all: true, before: '2026-01-31T12:00:00Z' }), {
    app: 'shop',
    beforeMs: 1_769_860_800_000,
  });
});

test('revoke: what does not say what it means is refused', (t) => {
  for (const wrong of [
    {},
    { identity: true },
    { all: true, before: 'yesterday' },
    { device: 'till', identity: true, before: '2026-01-31' },
  ]) {
    t.throws(() => revocationBody({ ...ARGS, ...wrong }), { instanceOf: UsageError });
  }
});

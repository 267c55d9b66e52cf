import test from 'ava';
import type { AppEntry } from '../../control/app-directory.js';
import { BootstrapLimits, FAILED_PROOF_COST, networkOf } from '../../control/bootstrap-limits.js';
import { DeviceNotProvenError, NotGrantableError } from '../../control/errors.js';

const appOf = (perMinute: number, name = 'shop') =>
  ({ name, config: { bootstrapsPerMinutePerIp: perMinute } }) as unknown as AppEntry;

const done = async () => 'done';
const fail = (error: Error) => () => Promise.reject(error);

test('bootstrap limits: each address has its own', async (t) => {
  const limits = new BootstrapLimits({ now: () => 0 });
  for (let i = 0; i < 3; i++) t.is(await limits.guard(appOf(3), '192.0.2.1', done), 'done');
  await t.throwsAsync(limits.guard(appOf(3), '192.0.2.1', done), { code: 'TRK_RATE_LIMITED' });
  t.is(await limits.guard(appOf(3), '192.0.2.2', done), 'done');
  t.is(await limits.guard(appOf(3, 'chat'), '192.0.2.1', done), 'done');
});

test('bootstrap limits: a failed proof costs as many, another refusal one', async (t) => {
  const limits = new BootstrapLimits({ now: () => 0 });
  const app = appOf(FAILED_PROOF_COST + 2);
  await t.throwsAsync(limits.guard(app, '192.0.2.1', fail(new NotGrantableError('no'))), { code: 'TRK_NOT_GRANTABLE' });
  await t.throwsAsync(limits.guard(app, '192.0.2.1', fail(new DeviceNotProvenError())), {
    code: 'TRK_DEVICE_NOT_PROVEN',
  });
  t.is(await limits.guard(app, '192.0.2.1', done), 'done');
  await t.throwsAsync(limits.guard(app, '192.0.2.1', done), { code: 'TRK_RATE_LIMITED' });
});

test('bootstrap limits: an IPv6 address counts by its /64, an IPv4 address however it is written', (t) => {
  t.is(networkOf('2001:db8::1'), networkOf('2001:0db8:0:0:ffff::2'));
  t.is(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  t.not(networkOf('2001:db8:0:1::1'), networkOf('2001:db8:0:2::1'));
  t.is(networkOf('::1'), '0:0:0:0::/64');
  t.is(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  t.is(networkOf('64:ff9b::192.0.2.33'), '64:ff9b:0:0::/64');
  t.is(networkOf('1:2:3:4::'), '1:2:3:4::/64');
  t.is(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
  t.is(networkOf('192.0.2.1'), '192.0.2.1');
});

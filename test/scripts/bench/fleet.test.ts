import test from 'ava';
import { startBareAccept } from '../../../scripts/bench/baseline/bare-servers.js';
import { openBareAudience } from '../../../scripts/bench/fanout/bare-audience.js';
import { PacerSlot, runFanout } from '../../../scripts/bench/fanout/fanout-run.js';
import { Fleet } from '../../../scripts/bench/load/fleet.js';

for (const protocol of ['tcp', 'ws'] as const) {
  test(`fleet: ${protocol} links are ready at the answer to their first frame`, async (t) => {
    const server = await startBareAccept(protocol);
    t.teardown(() => server.process.stop());
    const login = () => new Uint8Array([0, 0, 0, 3]);
    const fleet = await Fleet.open({ protocol, port: server.port, size: 40, inFlight: 8, login });
    t.true(fleet.links.every((link) => link.phase === 'ready'));
    await fleet.close();
  });

  test(`fan-out run: every ${protocol} member of a bare server gets every message`, async (t) => {
    const slot = new PacerSlot();
    const audience = await openBareAudience({ protocol, members: 20, windowMs: 5, onReads: slot.onReads });
    t.teardown(() => audience.close());
    const run = await runFanout(audience, { perSecond: 100, payloadBytes: 64, windowMs: 300 }, slot);
    t.is(run.lost, 0);
    t.true(run.pushes > 0 && run.p99Us > 0 && run.bytesPerDelivery > 64);
  });
}

test('fleet: tls links are ready as well, and resume a session that one of them was given', async (t) => {
  const server = await startBareAccept('tls');
  t.teardown(() => server.process.stop());
  const login = () => new Uint8Array([0, 0, 0, 3]);
  const all = { protocol: 'tls', port: server.port, size: 8, login } as const;
  const first = await Fleet.open(all);
  t.is(first.resumed, 0);
  await first.close();
  const again = await Fleet.open({ ...all, session: first.session });
  t.is(again.resumed, 8);
  await again.close();
});

test('fleet: a port where nobody listens fails the opening and leaves nothing open', async (t) => {
  const server = await startBareAccept('tcp');
  await server.process.stop();
  await t.throwsAsync(Fleet.open({ protocol: 'tcp', port: server.port, size: 3 }), { code: 'TRK_BENCH_FAILED' });
});

import { connect, type Socket } from 'node:net';
import test from 'ava';
import { freePort, listening } from '../support/listening.js';
import { until } from '../support/until.js';

/** Enough that the kernel's spreading over two sockets leaves neither out. */
const CONNECTIONS = 64;

for (const protocol of ['tcp', 'ws'] as const) {
  test(`${protocol} listener: a port that is taken is told`, async (t) => {
    const { port } = await listening(t, 'tcp');
    const error = await t.throwsAsync(listening(t, protocol, { port, reusePort: false }));
    t.is((error as NodeJS.ErrnoException).code, 'EADDRINUSE');
  });
}

test('tcp listener: several share one port, and the kernel spreads the connections', async (t) => {
  const port = await freePort();
  const first = await listening(t, 'tcp', { port, reusePort: true });
  const second = await listening(t, 'tcp', { port, reusePort: true });
  const clients: Socket[] = Array.from({ length: CONNECTIONS }, () => connect({ host: '127.0.0.1', port }));
  t.teardown(() => {
    for (const client of clients) client.destroy();
  });
  await until(() => first.links.length + second.links.length === CONNECTIONS);
  t.true(first.links.length > 0 && second.links.length > 0);
});

test('ws listener: shares its port as well', async (t) => {
  const port = await freePort();
  await listening(t, 'ws', { port, reusePort: true });
  await t.notThrowsAsync(listening(t, 'ws', { port, reusePort: true }));
});

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import test from 'ava';
import { checkPortsFree, MAX_PORT_BASE, PortTakenError, portsFrom } from '../../demo/ports.js';

test('ports: all follow from the base, and 0 leaves them to the kernel', (t) => {
  t.deepEqual(portsFrom(7100), {
    tcp: 7100,
    ws: 7101,
    tls: 7110,
    wss: 7111,
    quic: 7112,
    public: 7200,
    private: 7300,
    page: 7400,
  });
  t.deepEqual(new Set(Object.values(portsFrom(0))), new Set([0]));
  t.is(portsFrom(MAX_PORT_BASE).page, 65_535);
});

test('ports: one that is taken is named, with its use and the way out', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  t.teardown(() => holder.close());
  const { port } = holder.address() as AddressInfo;
  const error = await t.throwsAsync(checkPortsFree({ ...portsFrom(0), private: port }), {
    instanceOf: PortTakenError,
    code: 'TRK_PORT_TAKEN',
  });
  t.true(error.message.includes(`port ${port} (HTTP bridge) is taken`));
  t.true(error.message.includes('--port-base'));
});

test('ports: free ones pass, and are free afterwards', async (t) => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  await checkPortsFree({ ...portsFrom(0), page: port });
  await t.notThrowsAsync(checkPortsFree({ ...portsFrom(0), page: port }));
});

test('ports: the one of QUIC is looked for in UDP', async (t) => {
  const holder = createSocket('udp4').bind(0, '127.0.0.1');
  await once(holder, 'listening');
  t.teardown(() => holder.close());
  const { port } = holder.address();
  const error = await t.throwsAsync(checkPortsFree({ quic: port }), { instanceOf: PortTakenError });
  t.true(error.message.includes(`port ${port} (access over QUIC, UDP) is taken`));
  await t.notThrowsAsync(checkPortsFree({ tls: port }), 'TCP has ports of its own');
});

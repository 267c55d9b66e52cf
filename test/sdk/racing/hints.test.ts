import test, { type ExecutionContext } from 'ava';
import { type NodeClientOptions, tcpConnector } from '../../../sdk/node.js';
import type { ScriptedServer } from '../../support/scripted-server.js';
import { eventually } from '../../support/start-test-node.js';
import { nextEvent, settled, startClient, startServer } from '../client-fixture.js';
import { ManualClock } from '../manual-clock.js';
import { HangingConnector } from './hanging-connector.js';

function hintedClient(t: ExecutionContext, server: ScriptedServer, options: NodeClientOptions) {
  let hint = (): void => {};
  const client = startClient(t, server, {
    ...options,
    networkHints: (onHint) => {
      hint = onHint;
      return () => {};
    },
  });
  return { client, hint: () => hint() };
}

test('network hint: what is being opened over the old network is given up and opened anew, bans lifted', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({
    body: server.bootstrap({ protocols: ['tls'], accessPoints: { tls: [server.tcp, 'other:1'] } }),
  });
  const clock = new ManualClock();
  const dark = new HangingConnector();
  let isOldNetwork = true;
  const { client, hint } = hintedClient(t, server, {
    clock,
    transports: { tls: (address, handlers) => (isOldNetwork ? dark.connect : tcpConnector)(address, handlers) },
  });
  const online = nextEvent(client, 'online');
  void client.connect();
  await eventually(() => dark.open === 1);
  isOldNetwork = false;
  hint();
  t.is(dark.open, 0);
  await (await server.accept()).login();
  t.like(await online, { why: 'first', losers: 0 });
});

test('network hint: a network that comes and goes does not make more attempts than the budget has', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({
    body: server.bootstrap({ accessPoints: { tcp: [server.tcp] }, retry: { minMs: 60_000, maxMs: 60_000 } }),
  });
  const clock = new ManualClock();
  const { client, hint } = hintedClient(t, server, { clock });
  void client.connect();
  let attempts = 0;
  for (let i = 0; i < 20; i++) {
    if (client.state !== 'waiting') {
      const offline = nextEvent(client, 'offline');
      (await server.accept()).cut();
      attempts += 1;
      await offline;
    }
    clock.advance(100);
    hint();
    await settled();
  }
  t.is(attempts, 12);
  t.is(client.state, 'waiting');
  clock.advance(30_000);
  await server.accept();
});

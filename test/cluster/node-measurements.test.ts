/** Heartbeats and reports from end to end: a real client that bootstraps at a real node. */
import test from 'ava';
import { createClient, webMemory } from '../../sdk/node.js';
import { StoredMap } from '../../sdk/storage.js';
import { eventually, startTestNode } from '../support/start-test-node.js';

test('node: clients that were asked to report, and their heartbeats, show in the metrics', async (t) => {
  const node = await startTestNode(t, {
    report: { share: 1 },
    heartbeat: { intervalMs: 200, minMs: 100, maxMs: 400 },
  });
  const memory = webMemory();
  const heartbeats = new StoredMap<number>(memory, 'trunkline.heartbeats');
  const client = createClient({
    bootstrapUrl: `http://${node.handle.addresses.services['ControlActor']}`,
    app: 'demo',
    attributes: { region: 'eu', 'app-version': '3.1.4', network: 'wifi' },
    memory,
    networkName: () => '',
  });
  t.teardown(() => client.close());
  await client.connect();
  const labels = 'region="eu",protocol="tcp",app_version="3.1.4"';
  const metrics = async () => (await node.call('GET', '/metrics')).text;
  await eventually(async () => (await metrics()).includes(`trunkline_client_heartbeat_seconds_count{${labels}} `));
  // A stall of the machine may cost a link here, so only that it grew is asked for.
  await eventually(() => (heartbeats.get('wifi') ?? 0) > 200);
  client.reconnect();
  await eventually(async () => /trunkline_client_rtt_seconds_count\{region="eu"[^}]*\} [1-9]/.test(await metrics()));
  t.regex(await metrics(), /trunkline_client_pings_total\{region="eu"[^}]*\} [1-9]/);
});

test('node: nobody reports unless the configuration says so, and who does it anyway is passed over', async (t) => {
  const node = await startTestNode(t);
  const device = await node.rawDevice('eager');
  device.send({ type: 0x10, measurements: { 'rtt-ms': '5' } }, { type: 0x03, opaque: 1 });
  await device.next(0x04);
  t.notRegex((await node.call('GET', '/metrics')).text, /^trunkline_client_\w+\{/m);
});

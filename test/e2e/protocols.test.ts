/** A device in Node on the real demo, by each of the five protocols: every way of talking, a cut, and all of it again. */
import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { createClient, nodeTransports, type Protocol, type Push, type TrunklineClient } from '../../sdk/node.js';
import { eventually } from '../support/start-test-node.js';
import { DemoProcess } from './demo-process.js';

const PROTOCOLS: readonly Protocol[] = ['tcp', 'tls', 'ws', 'wss', 'quic'];
const ROOM = 'room-1';

let demo: DemoProcess;

test.before(async () => {
  demo = await DemoProcess.start();
});
test.after.always(() => demo?.stop());

function openClient(t: ExecutionContext, protocol: Protocol): TrunklineClient {
  const ca = readFileSync(demo.certFile, 'utf8');
  const client = createClient({
    bootstrapUrl: demo.printedAddress('Control'),
    app: 'demo',
    transports: { [protocol]: nodeTransports(ca)[protocol] },
  });
  t.teardown(() => client.close());
  return client;
}

for (const protocol of PROTOCOLS) {
  test(`protocols: ${protocol}: request, unicast and multicast, also after a new connection`, async (t) => {
    const client = openClient(t, protocol);
    const ways: string[] = [];
    const messages: string[] = [];
    const comments: Push[] = [];
    client.on('online', (event) => ways.push(`${event.protocol} ${event.why}`));
    client.business('im').onPush((push) => {
      if (push.metadata['kind'] === 'message') messages.push((push.json() as { text: string }).text);
    });
    client.business('live').onPush((push) => comments.push(push));
    const say = async (text: string) => {
      const reply = await client.business('im').request('send', JSON.stringify({ to: client.deviceId, text }));
      t.deepEqual(reply.json(), { result: 'delivered' });
      await eventually(() => messages.includes(text));
    };

    await client.connect();
    await client.business('live').join(ROOM);
    await say('before');
    await eventually(() => comments.length >= 2);

    client.reconnect();
    await eventually(() => ways.length === 2 && client.state === 'online');
    await say('after');
    const seen = comments.length;
    await eventually(() => comments.length > seen + 1);
    t.deepEqual(new Set(ways.map((way) => way.split(' ')[0])), new Set([protocol]));
    t.true(comments.every(({ group }) => group === ROOM));
  });
}

/** The adaptive heartbeat of a whole client, over a real link, with a clock that the test moves. */
import test, { type ExecutionContext } from 'ava';
import { FrameType } from '../../../protocol/index.js';
import { type NodeClientOptions, type TrunklineClient, webMemory } from '../../../sdk/node.js';
import { StoredMap } from '../../../sdk/storage.js';
import type { Peer, ScriptedServer } from '../../support/scripted-server.js';
import { nextEvent, startClient, startServer } from '../client-fixture.js';
import { ManualClock } from '../manual-clock.js';

const BOUNDS = { intervalMs: 60_000, minMs: 30_000, maxMs: 180_000 };

interface Scene {
  readonly clock: ManualClock;
  readonly server: ScriptedServer;
  readonly client: TrunklineClient;
  readonly peer: Peer;
  /** What CONNECT said. */
  readonly announced: string | undefined;
}

async function start(
  t: ExecutionContext,
  options: NodeClientOptions = {},
  { bootstrap = { heartbeat: BOUNDS } as object, heartbeatMs = 60_000 } = {},
): Promise<Scene> {
  const clock = new ManualClock();
  const server = await startServer(t);
  server.onBootstrap = () => ({ body: server.bootstrap({ protocols: ['tcp'], ...bootstrap }) });
  const client = startClient(t, server, { clock, networkName: () => '', ...options });
  const connected = client.connect();
  const peer = await server.accept();
  const { attributes } = await peer.login({ heartbeatMs });
  await connected;
  return { clock, server, client, peer, announced: attributes['heartbeat-ms'] };
}

type Ends = Pick<Scene, 'clock' | 'peer'>;

/** A silence of the whole interval, and its end. Our own ping shows that the client has read the pong. */
async function beat({ clock, peer }: Ends, intervalMs: number, onRead?: () => Promise<void>): Promise<void> {
  clock.advance(intervalMs);
  const { opaque } = await peer.next(FrameType.ping);
  peer.send({ type: FrameType.pong, opaque }, { type: FrameType.ping, opaque: 7 });
  await onRead?.();
  await peer.next(FrameType.pong);
}

/** Beats after which the client says nothing. */
async function beats(ends: Ends, times: number, intervalMs: number): Promise<void> {
  for (let i = 0; i < times; i += 1) await beat(ends, intervalMs);
}

/** Three beats. @returns the interval that the client announces after them */
async function step(ends: Ends, intervalMs: number): Promise<string | undefined> {
  let announced: string | undefined;
  await beats(ends, 2, intervalMs);
  await beat(ends, intervalMs, async () => {
    announced = (await ends.peer.next(FrameType.report)).measurements['heartbeat-ms'];
  });
  return announced;
}

test('adaptive heartbeat: grows step by step and tells the server first; is remembered per network', async (t) => {
  const storage = webMemory();
  const memory = new StoredMap<number>(storage, 'trunkline.heartbeats');
  const scene = await start(t, { memory: storage, attributes: { network: 'wifi' } });
  t.is(scene.announced, undefined);
  t.is(await step(scene, 60_000), '90000');
  t.is(memory.get('wifi'), 60_000, 'a step that has not held is not remembered');
  t.is(await step(scene, 90_000), '135000');
  t.is(await step(scene, 135_000), '180000');
  await beats(scene, 4, 180_000);
  t.is(memory.get('wifi'), 180_000);
  t.is(memory.get('cellular'), undefined);
  t.is(scene.peer.unread, 0);

  const again = await start(t, { memory: storage, attributes: { network: 'wifi' } }, { heartbeatMs: 180_000 });
  t.is(again.announced, '180000');
  await beat(again, 180_000);
});

test('adaptive heartbeat: a link that died in silence shortens it at the next login', async (t) => {
  const storage = webMemory();
  const memory = new StoredMap<number>(storage, 'trunkline.heartbeats');
  const scene = await start(t, { memory: storage });
  const { clock, server, client, peer } = scene;
  t.is(await step(scene, 60_000), '90000');
  clock.advance(90_000);
  await peer.next(FrameType.ping);
  const offline = nextEvent(client, 'offline');
  // No longer than the shortest heartbeat, however long the present one is.
  clock.advance(30_000);
  t.is((await offline).reason, 'no sign of life');
  clock.advance(1);
  const next = await server.accept();
  const online = nextEvent(client, 'online');
  t.is((await next.login({ heartbeatMs: 60_000 })).attributes['heartbeat-ms'], '60000');
  await online;
  t.is(memory.get(''), 60_000);
  await beats({ clock, peer: next }, 6, 60_000);
  t.is(next.unread, 0, 'the step that failed is not tried again soon');
});

test('adaptive heartbeat: a network that was away is no reason to shorten', async (t) => {
  const scene = await start(t);
  const { clock, server, client, peer } = scene;
  t.is(await step(scene, 60_000), '90000');
  clock.advance(90_000);
  await peer.next(FrameType.ping);
  const offline = nextEvent(client, 'offline');
  clock.advance(30_000);
  await offline;
  const failed = nextEvent(client, 'error');
  clock.advance(1);
  const refused = await server.accept();
  t.is((await refused.next(FrameType.connect)).attributes['heartbeat-ms'], '60000');
  refused.cut();
  await failed;
  clock.advance(1);
  const next = await server.accept();
  t.is((await next.login({ heartbeatMs: 90_000 })).attributes['heartbeat-ms'], '90000');
});

test('adaptive heartbeat: a link that breaks on the ping was lost in silence too', async (t) => {
  const scene = await start(t);
  const { clock, server, client, peer } = scene;
  t.is(await step(scene, 60_000), '90000');
  clock.advance(90_000);
  await peer.next(FrameType.ping);
  const offline = nextEvent(client, 'offline');
  peer.cut();
  await offline;
  clock.advance(1);
  t.is((await (await server.accept()).login()).attributes['heartbeat-ms'], '60000');
});

for (const [what, options, settings] of [
  ['switched off', { adaptiveHeartbeat: false }, {}],
  ['bounds are equal', {}, { bootstrap: { heartbeat: { intervalMs: 60_000, minMs: 60_000, maxMs: 60_000 } } }],
  ['the control layer names none', {}, { bootstrap: { heartbeat: { intervalMs: 60_000 } } }],
  ['the answer has no heartbeat at all', {}, { bootstrap: { heartbeat: undefined } }],
] as const) {
  test(`adaptive heartbeat: the interval of CONNACK is kept when ${what}`, async (t) => {
    const scene = await start(t, options, settings);
    await beats(scene, 8, 60_000);
    t.is(scene.peer.unread, 0);
  });
}

test('adaptive heartbeat: a server that gives less than was asked for is not asked for more', async (t) => {
  const storage = webMemory();
  const memory = new StoredMap<number>(storage, 'trunkline.heartbeats');
  memory.set('', 180_000);
  const scene = await start(t, { memory: storage }, { heartbeatMs: 60_000 });
  t.is(scene.announced, '180000');
  await beats(scene, 8, 60_000);
  t.is(scene.peer.unread, 0);
});

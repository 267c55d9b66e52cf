import test, { type ExecutionContext } from 'ava';
import { listening } from '../support/listening.js';
import { RawPeer, upgradeRequest } from '../support/raw-websocket.js';
import { turns, until } from '../support/until.js';

async function asked(t: ExecutionContext, request: string) {
  const server = await listening(t, 'ws');
  const peer = new RawPeer(server.port);
  t.teardown(() => {
    peer.socket.destroy();
  });
  peer.socket.write(request);
  await until(() => peer.head !== undefined);
  return { peer, server };
}

interface Refusal {
  readonly status: number;
  readonly path?: string;
  readonly headers?: Record<string, string | undefined>;
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'another path': { status: 404, path: '/' },
  'a path below': { status: 404, path: '/connect/more' },
  'no subprotocol': { status: 400, headers: { 'sec-websocket-protocol': undefined } },
  'another subprotocol': { status: 400, headers: { 'sec-websocket-protocol': 'trunkline.v2, mqtt' } },
  'a foreign origin': { status: 403, headers: { origin: 'https://evil.example' } },
  'no key': { status: 400, headers: { 'sec-websocket-key': undefined } },
  'another version': { status: 400, headers: { 'sec-websocket-version': '7' } },
};

for (const [what, { status, path = '/connect', headers = {} }] of Object.entries(REFUSALS)) {
  test(`websocket handshake: ${what} is answered ${status}`, async (t) => {
    const { peer, server } = await asked(t, upgradeRequest(path, headers));
    t.regex(peer.head ?? '', new RegExp(`^HTTP/1.1 ${status} `));
    await until(() => peer.isEnded);
    t.is(server.links.length, 0);
  });
}

test('websocket handshake: the subprotocol may be one of several, the origin a listed one', async (t) => {
  const headers = { 'sec-websocket-protocol': 'other,  trunkline.v1', origin: 'https://app.example' };
  const { peer, server } = await asked(t, upgradeRequest('/connect?token=none', headers));
  t.regex(peer.head ?? '', /^HTTP\/1.1 101 /);
  t.regex(peer.head ?? '', /sec-websocket-protocol: trunkline\.v1\r\n/i);
  await server.link();
});

test('websocket handshake: compression is never agreed on', async (t) => {
  const { peer } = await asked(t, upgradeRequest('/connect', { 'sec-websocket-extensions': 'permessage-deflate' }));
  t.regex(peer.head ?? '', /^HTTP\/1.1 101 /);
  t.notRegex(peer.head ?? '', /sec-websocket-extensions/i);
});

test('websocket handshake: a request that is no upgrade is answered 426', async (t) => {
  const { peer } = await asked(t, 'GET /connect HTTP/1.1\r\nhost: localhost\r\n\r\n');
  t.regex(peer.head ?? '', /^HTTP\/1.1 426 Upgrade Required\r\n/);
  t.regex(peer.head ?? '', /upgrade: websocket/i);
  await until(() => peer.isEnded);
});

test('websocket handshake: who is refused and keeps its half open holds no socket', async (t) => {
  const { peer } = await asked(t, upgradeRequest('/elsewhere'));
  await until(() => peer.isEnded);
  // A socket that is gone answers with a reset, one that is only half closed swallows.
  while (!peer.isClosed) {
    peer.socket.write('anybody there?');
    await turns();
  }
  t.pass();
});

test('websocket handshake: frames right behind the upgrade are not lost', async (t) => {
  const server = await listening(t, 'ws');
  const peer = new RawPeer(server.port);
  t.teardown(() => {
    peer.socket.destroy();
  });
  const message = Buffer.from([0x82, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
  peer.socket.write(Buffer.concat([Buffer.from(upgradeRequest('/connect')), message]));
  const link = await server.link();
  await until(() => link.chunks.length === 1);
  t.is(link.bytes.toString(), 'hi');
});

test('websocket handshake: a peer that says nothing, or half a request, is cut off', async (t) => {
  const server = await listening(t, 'ws', { handshakeMs: 200 });
  for (const words of ['', 'GET /connect HTTP/1.1\r\nhost: lo']) {
    const peer = new RawPeer(server.port);
    peer.socket.write(words);
    await until(() => peer.isEnded || peer.isClosed);
    peer.socket.destroy();
  }
  t.is(server.links.length, 0);
});

test('websocket handshake: too many headers are refused', async (t) => {
  const { peer } = await asked(t, upgradeRequest('/connect', { 'x-padding': 'x'.repeat(9_000) }));
  t.regex(peer.head ?? '', /^HTTP\/1.1 431 /);
});

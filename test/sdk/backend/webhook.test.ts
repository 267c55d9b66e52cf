import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { canonicalText, type HeaderMap, SIGNATURE_TOLERANCE_MS, Status } from '../../../protocol/index.js';
import { encodeUpstreamAnswer, parseUpstreamRequest, verifyWebhook } from '../../../sdk/backend/index.js';
import { createBackEndClient } from '../../../upstream/index.js';

const SECRET = 'webhook-signing-secret';
const NOW_MS = 1_750_000_000_000;
const BODY = Buffer.from('{"text":"hi"}');

const HEADERS = {
  'ce-specversion': '1.0',
  'ce-id': 'r-1',
  'ce-source': '/trunkline/apps/demo/devices/d%C3%A9',
  'ce-type': 'trunkline.request.v1',
  'ce-subject': 'send%20it',
  'ce-time': '2025-06-15T15:06:40.000Z',
  'ce-app': 'demo',
  'ce-device': 'd%C3%A9',
  'ce-uid': 'u-1',
  'ce-connection': 'c-1',
  'ce-business': 'im',
  'ce-deadlinems': '9000',
  'content-type': 'application/json',
  'trunkline-meta-room': '%E2%98%83',
  'trunkline-timestamp': String(NOW_MS / 1000),
};

function signed(headers: HeaderMap = HEADERS, body: Uint8Array = BODY, secret = SECRET): HeaderMap {
  const text = canonicalText(headers, createHash('sha256').update(body).digest('hex'));
  const digest = createHmac('sha256', secret).update(text).digest('hex');
  return { host: 'h', ...headers, 'trunkline-signature': `v1=${digest}` };
}

test('webhook: a signed request verifies and comes in its parts', (t) => {
  const verdict = verifyWebhook({ headers: signed(), body: BODY, secret: SECRET, nowMs: NOW_MS });
  if (!verdict.ok) return t.fail(verdict.reason);
  if (verdict.event.type !== 'request') return t.fail('no request');
  t.like(verdict.event, {
    id: 'r-1',
    app: 'demo',
    device: 'dé',
    uid: 'u-1',
    business: 'im',
    connectionId: 'c-1',
    method: 'send it',
    deadlineMs: 9_000,
    contentType: 'application/json',
  });
  t.deepEqual({ ...verdict.event.metadata }, { room: '☃' });
  t.deepEqual(verdict.event.json(), { text: 'hi' });
});

test('webhook: five minutes either way and no more', (t) => {
  const at = (nowMs: number) => verifyWebhook({ headers: signed(), body: BODY, secret: SECRET, nowMs });
  for (const offset of [-SIGNATURE_TOLERANCE_MS, SIGNATURE_TOLERANCE_MS]) {
    t.true(at(NOW_MS + offset).ok);
    t.deepEqual(at(NOW_MS + offset + Math.sign(offset)), { ok: false, reason: 'stale' });
  }
});

test('webhook: whatever was changed on the way, the signature no longer fits', (t) => {
  const headers = signed();
  const changed: HeaderMap[] = Object.keys(HEADERS)
    .filter((name) => name !== 'trunkline-timestamp')
    .map((name) => ({ ...headers, [name]: 'x' }));
  changed.push({ ...headers, 'trunkline-timestamp': String(NOW_MS / 1000 + 1) });
  changed.push({ ...headers, 'trunkline-meta-added': 'x' }, { ...headers, 'ce-added': 'x' });
  changed.push({ ...headers, 'ce-app': ['demo', 'demo'] });
  changed.push(Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'ce-uid')));
  for (const input of changed) {
    const verdict = verifyWebhook({ headers: input, body: BODY, secret: SECRET, nowMs: NOW_MS });
    t.deepEqual(verdict, { ok: false, reason: 'bad-signature' });
  }
  const body = Buffer.from('{"text":"ho"}');
  t.deepEqual(verifyWebhook({ headers, body, secret: SECRET, nowMs: NOW_MS }), { ok: false, reason: 'bad-signature' });
});

test('webhook: several secrets and several signatures allow rotation', (t) => {
  const verify = (headers: HeaderMap, secret: string | string[]) =>
    verifyWebhook({ headers, body: BODY, secret, nowMs: NOW_MS }).ok;
  t.true(verify(signed(), ['new-secret', SECRET]));
  t.false(verify(signed(), ['new-secret']));
  const headers = signed();
  t.true(
    verify(
      { ...headers, 'trunkline-signature': `v1=${'0'.repeat(64)}, v2=x, ${headers['trunkline-signature']}` },
      SECRET,
    ),
  );
});

test('webhook: what a stranger sends is a reason, never an exception', (t) => {
  const reason = (headers: HeaderMap) => {
    const verdict = verifyWebhook({ headers, body: BODY, secret: SECRET, nowMs: NOW_MS });
    return verdict.ok ? 'ok' : verdict.reason;
  };
  t.is(reason({}), 'no-timestamp');
  t.is(reason({ 'trunkline-timestamp': '1e9' }), 'no-timestamp');
  t.is(reason({ 'trunkline-timestamp': '1' }), 'stale');
  t.is(reason({ ...HEADERS }), 'no-signature');
  t.is(reason({ ...HEADERS, 'trunkline-signature': 'v1=zz' }), 'no-signature');
  t.is(reason(signed({ ...HEADERS, 'ce-type': 'another.type' })), 'unknown-type');
  t.is(reason(signed({ ...HEADERS, 'ce-device': '%ff' })), 'malformed');
  t.is(reason(signed({ ...HEADERS, 'trunkline-meta-room': '%' })), 'malformed');
});

const EVENT_HEADERS = {
  'ce-specversion': '1.0',
  'ce-id': 'c-1.7.disconnected',
  'ce-source': '/trunkline/apps/demo/devices/d%C3%A9',
  'ce-type': 'trunkline.device.disconnected.v1',
  'ce-time': '2025-06-15T15:06:40.250Z',
  'ce-app': 'demo',
  'ce-device': 'd%C3%A9',
  'ce-uid': 'u-1',
  'ce-connection': 'c-1',
  'ce-business': 'im',
  'ce-fence': '1750000000000001',
  'ce-closecode': '4505',
  'ce-reason': 'replaced',
  'trunkline-timestamp': String(NOW_MS / 1000),
};

test('webhook: a connection event verifies and comes in its parts', (t) => {
  const none = new Uint8Array(0);
  const verify = (headers: HeaderMap) =>
    verifyWebhook({ headers: signed(headers, none), body: none, secret: SECRET, nowMs: NOW_MS });
  const told = {
    type: 'disconnected',
    id: 'c-1.7.disconnected',
    app: 'demo',
    device: 'dé',
    uid: 'u-1',
    business: 'im',
    connectionId: 'c-1',
    fence: 1_750_000_000_000_001,
    atMs: NOW_MS + 250,
    closeCode: 4505,
    reason: 'replaced',
  };
  t.deepEqual(verify(EVENT_HEADERS) as unknown, { ok: true, event: told });
  const { 'ce-closecode': _code, 'ce-reason': _reason, 'ce-uid': _uid, ...rest } = EVENT_HEADERS;
  t.deepEqual(verify({ ...rest, 'ce-type': 'trunkline.device.connected.v1' }) as unknown, {
    ok: true,
    event: { ...told, type: 'connected', uid: undefined, closeCode: undefined, reason: undefined },
  });
  for (const wrong of [
    { 'ce-fence': '-1' },
    { 'ce-time': 'soon' },
    { 'ce-closecode': '' },
    { 'ce-reason': undefined },
  ]) {
    t.deepEqual(verify({ ...EVENT_HEADERS, ...wrong }), { ok: false, reason: 'malformed' });
  }
});

test('webhook: parsing alone throws what is wrong', (t) => {
  t.is(parseUpstreamRequest(HEADERS, BODY).method, 'send it');
  const { 'ce-uid': _, ...withoutUid } = HEADERS;
  t.is(parseUpstreamRequest(withoutUid, BODY).uid, undefined);
  const malformed = { code: 'TRK_MALFORMED_WEBHOOK' };
  t.throws(() => parseUpstreamRequest({ ...HEADERS, 'ce-subject': undefined }, BODY), malformed);
});

test('webhook: the real upstream client and a back-end on this SDK understand each other', async (t) => {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const verdict = verifyWebhook({ headers: request.headers, body: Buffer.concat(chunks), secret: SECRET });
    if (!verdict.ok) return void response.writeHead(401).end(verdict.reason);
    if (verdict.event.type !== 'request') return void response.writeHead(204).end();
    const { method, device, metadata } = verdict.event;
    const { headers, body } = encodeUpstreamAnswer({
      status: Status.alreadyExists,
      metadata: { seen: `${device} ${metadata['mood']}` },
      payload: `${method}: ${verdict.event.text()}`,
      contentType: 'text/plain',
    });
    response.writeHead(200, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = createBackEndClient({
    business: 'im',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    signingSecret: SECRET,
    concurrency: 1,
    maxQueue: 0,
    deadlineMs: 30_000,
    maxResponseBytes: 1_024,
    breaker: { failures: 1, openMs: 1 },
  });
  t.teardown(async () => {
    await upstream.close();
    server.closeAllConnections();
    server.close();
  });
  const reply = await upstream.request({
    device: { app: 'demo', deviceId: 'gerät' },
    uid: undefined,
    connectionId: 'c-1',
    method: 'groß "fragen"',
    metadata: { mood: '☃ 100%' },
    payload: Buffer.from('hallo'),
    deadlineMs: 5_000,
    signal: new AbortController().signal,
  });
  t.is(reply.status, Status.alreadyExists);
  t.is(reply.metadata['seen'], 'gerät ☃ 100%');
  t.is(reply.metadata['content-type'], 'text/plain');
  t.is(Buffer.from(reply.payload).toString(), 'groß "fragen": hallo');
});

test('webhook answer: a key that no header can carry is refused', (t) => {
  t.throws(() => encodeUpstreamAnswer({ metadata: { 'Not-Lower': '' } }), { code: 'TRK_INVALID_ARGUMENT' });
});

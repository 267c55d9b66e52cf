import { createHash, createHmac } from 'node:crypto';
import test from 'ava';
import type { BackEnd } from '../../actors/index.js';
import { canonicalText } from '../../protocol/index.js';
import { verifyWebhook } from '../../sdk/backend/index.js';
import { InvalidUpstreamOptionError, REASON_KEY, type UpstreamOptions } from '../../upstream/index.js';
import { callOf, clientOf, manualClock, type Received, SECRET, startBackEnd } from './real-back-end.js';

/** Written from docs/integration.md alone, on the headers as they came. */
function expectedSignature({ rawHeaders, body }: Received): string {
  const pairs = new Map<string, string>();
  for (let i = 0; i < rawHeaders.length; i += 2)
    pairs.set(String(rawHeaders[i]).toLowerCase(), String(rawHeaders[i + 1]));
  const signed = [...pairs.keys()].filter((name) => /^(ce-|trunkline-meta-)/.test(name)).sort();
  const lines = ['trunkline-webhook-v1', pairs.get('trunkline-timestamp'), pairs.get('ce-id')];
  for (const name of signed) lines.push(`${name}:${pairs.get(name)}`);
  lines.push(`content-type:${pairs.get('content-type')}`, createHash('sha256').update(body).digest('hex'));
  return `v1=${createHmac('sha256', SECRET).update(lines.join('\n')).digest('hex')}`;
}

test('requests: arrive as a CloudEvent in binary mode at the one URL', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => response.end());
  const clock = manualClock();
  const client = clientOf(t, backEnd.url, { clock });
  // The port of the actors, met structurally.
  const port: BackEnd = client;
  await port.request(callOf({ metadata: { trace: 't-1' }, deadlineMs: 2_500 }));
  const { headers, body, method, url } = backEnd.received[0] as Received;
  t.is(method, 'POST');
  t.is(url, '/hook?v=1');
  t.is(body.toString(), 'hello');
  t.like(headers, {
    'ce-specversion': '1.0',
    'ce-source': '/trunkline/apps/demo/devices/device-1',
    'ce-type': 'trunkline.request.v1',
    'ce-subject': 'chat.send',
    'ce-time': '2023-11-14T22:13:20.123Z',
    'ce-app': 'demo',
    'ce-device': 'device-1',
    'ce-uid': 'ada',
    'ce-connection': 'n1.w0.42',
    'ce-business': 'im',
    'ce-deadlinems': '2500',
    'content-type': 'application/octet-stream',
    'content-length': '5',
    'trunkline-meta-trace': 't-1',
    'trunkline-timestamp': '1700000000',
  });
});

test('requests: are signed over what a back-end receives', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => response.end());
  const client = clientOf(t, backEnd.url);
  await client.request(callOf());
  await client.request(callOf({ uid: undefined, payload: new Uint8Array(0) }));
  await client.request(
    callOf({ metadata: { b: '2', a: '1 %', 'a-b': 'ü', 'content-type': 'text/plain; charset=utf-8' } }),
  );
  await client.request(callOf({ device: { app: 'demo', deviceId: 'a/b "ü" 😀' }, uid: '', method: 'zeichne 100%' }));
  t.is(backEnd.received.length, 4);
  for (const received of backEnd.received) {
    t.is(received.headers['trunkline-signature'], expectedSignature(received));
    const text = canonicalText(received.headers, createHash('sha256').update(received.body).digest('hex'));
    t.is(received.headers['trunkline-signature'], `v1=${createHmac('sha256', SECRET).update(text).digest('hex')}`);
  }
  t.is(new Set(backEnd.received.map(({ headers }) => headers['ce-id'])).size, 4);
  t.false('ce-uid' in (backEnd.received[1] as Received).headers);
  t.false('ce-uid' in (backEnd.received[3] as Received).headers);
  t.is((backEnd.received[2] as Received).headers['content-type'], 'text/plain; charset=utf-8');
});

test('requests: text outside ASCII travels percent-encoded', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => response.end());
  const client = clientOf(t, backEnd.url);
  const deviceId = 'gerät "7" 100%';
  await client.request(
    callOf({ device: { app: 'demo', deviceId }, method: 'zeichne €', metadata: { note: 'naïve\r\nx: y 😀' } }),
  );
  const { headers } = backEnd.received[0] as Received;
  t.is(decodeURIComponent(headers['ce-device'] as string), deviceId);
  t.is(decodeURIComponent(headers['ce-subject'] as string), 'zeichne €');
  t.is(decodeURIComponent(headers['trunkline-meta-note'] as string), 'naïve\r\nx: y 😀');
  t.is(headers['x'], undefined);
  // A URI whose own escapes are escaped once more as a header.
  const source = decodeURIComponent(headers['ce-source'] as string);
  t.is(source, `/trunkline/apps/demo/devices/${encodeURIComponent(deviceId)}`);
});

test("requests: pass the back-end SDK's verification, and a changed byte does not", async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => response.end());
  await clientOf(t, backEnd.url).request(
    callOf({ metadata: { note: 'naïve 100%' }, method: 'zeichne €', deadlineMs: 5_000 }),
  );
  const { headers, body } = backEnd.received[0] as Received;
  const verdict = verifyWebhook({ headers, body, secret: SECRET });
  if (!verdict.ok || verdict.event.type !== 'request') return t.fail('not a request that verifies');
  const { app, device, uid, business, method, metadata, deadlineMs } = verdict.event;
  t.deepEqual(
    { app, device, uid, business, method },
    {
      app: 'demo',
      device: 'device-1',
      uid: 'ada',
      business: 'im',
      method: 'zeichne €',
    },
  );
  t.deepEqual({ ...metadata }, { note: 'naïve 100%' });
  t.true(deadlineMs > 0 && deadlineMs <= 5_000);
  for (const name of ['ce-uid', 'trunkline-meta-note', 'content-type', 'trunkline-timestamp', 'ce-id']) {
    const changed = { ...headers, [name]: `${headers[name]}0`.slice(1) };
    t.false(
      verifyWebhook({ headers: changed, body, secret: SECRET, nowMs: Number(changed['trunkline-timestamp']) * 1_000 })
        .ok,
    );
  }
  t.false(verifyWebhook({ headers: { ...headers, 'ce-extra': '1' }, body, secret: SECRET }).ok);
  t.false(verifyWebhook({ headers, body: Buffer.from('hellO'), secret: SECRET }).ok);
});

test('requests: an empty method is refused', async (t) => {
  t.is((await clientOf(t, 'http://127.0.0.1:1/').request(callOf({ method: '' }))).status, 3);
});

test('requests: ids differ between clients of one back-end', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => response.end());
  await clientOf(t, backEnd.url).request(callOf());
  await clientOf(t, backEnd.url).request(callOf());
  t.not(backEnd.received[0]?.headers['ce-id'], backEnd.received[1]?.headers['ce-id']);
});

test('requests: metadata that cannot travel is refused and nothing is sent', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => response.end());
  const client = clientOf(t, backEnd.url);
  const refused = [
    { Upper: 'x' },
    { '': 'x' },
    { 'a b': 'x' },
    { 'a\r\nx-admin': 'x' },
    { ä: 'x' },
    { a_b: 'x' },
    { ['k'.repeat(65)]: 'x' },
    { 'content-type': 'text/plain\r\nx-admin: 1' },
    { 'content-type': 'nonsense' },
    { 'content-type': '' },
    { big: 'x'.repeat(4_096), bigger: 'x'.repeat(4_096) },
  ];
  for (const metadata of refused) {
    const reply = await client.request(callOf({ metadata }));
    t.is(reply.status, 3, JSON.stringify(metadata));
    t.is(typeof reply.metadata[REASON_KEY], 'string');
  }
  t.is(backEnd.received.length, 0);
  t.true(client.outcomes.every(({ kind }) => kind === 'refused'));
  t.is((await client.request(callOf({ metadata: { ['k'.repeat(64)]: 'x'.repeat(4_000) } }))).status, 0);
});

const invalid = test.macro((t, field: string, options: Partial<UpstreamOptions>) => {
  const error = t.throws(() => clientOf(t, 'http://127.0.0.1:1/', options), {
    instanceOf: InvalidUpstreamOptionError,
    code: 'TRK_INVALID_UPSTREAM_OPTION',
  });
  t.is(error?.field, field);
  t.is(error?.business, 'im');
  t.false(error?.message.includes('hunter2'));
});

test('options: no concurrency', invalid, 'concurrency', { concurrency: 0 });
test('options: a negative queue', invalid, 'maxQueue', { maxQueue: -1 });
test('options: a deadline no timer takes', invalid, 'deadlineMs', { deadlineMs: 2 ** 31 });
test('options: no response bytes', invalid, 'maxResponseBytes', { maxResponseBytes: Number.NaN });
test('options: half a failure', invalid, 'breaker.failures', { breaker: { failures: 0.5, openMs: 1 } });
test('options: no time open', invalid, 'breaker.openMs', { breaker: { failures: 1, openMs: 0 } });
test('options: a short secret', invalid, 'signingSecret', { signingSecret: 'hunter2' });
test('options: no address', invalid, 'url', { url: 'not a url' });
test('options: another scheme', invalid, 'url', { url: 'ftp://127.0.0.1/' });
test('options: credentials in the address', invalid, 'url', { url: 'http://user:hunter2@127.0.0.1/' });
test('options: a fragment in the address', invalid, 'url', { url: 'http://127.0.0.1/#x' });

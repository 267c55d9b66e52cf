import { request } from 'node:http';
import test from 'ava';
import { parseConfig } from '../../config/index.js';
import { CHAT_ORIGIN, CONFIG, expectProblem, SHOP_ORIGIN, startControl } from './fixtures.js';

/** `fetch` keeps the `Origin` header to itself, so these requests go out by hand. */
function send(url: string, method: string, headers: Record<string, string>, body = ''): Promise<Response> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/v1/bootstrap`, { method, headers, agent: false }, async (incoming) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const status = incoming.statusCode ?? 0;
      const answer = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
      resolve(new Response(status === 204 ? null : Buffer.concat(chunks), { status, headers: answer }));
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

const json = { 'content-type': 'application/json' };
const post = (url: string, origin: string, app: string) =>
  send(url, 'POST', { ...json, origin }, JSON.stringify({ app }));

test('CORS: a page of a listed origin may bootstrap its app', async (t) => {
  const { url } = await startControl(t);
  const preflight = await send(url, 'OPTIONS', {
    origin: SHOP_ORIGIN,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
  });
  t.is(preflight.status, 204);
  t.is(preflight.headers.get('access-control-allow-origin'), SHOP_ORIGIN);
  t.is(preflight.headers.get('access-control-allow-methods'), 'POST');
  t.is(preflight.headers.get('access-control-allow-headers'), 'content-type');
  t.is(preflight.headers.get('vary'), 'Origin');
  const response = await post(url, SHOP_ORIGIN, 'shop');
  t.is(response.status, 200);
  t.is(response.headers.get('access-control-allow-origin'), SHOP_ORIGIN);
  t.is(response.headers.get('access-control-allow-credentials'), null);
  t.is(response.headers.get('vary'), 'Origin');
});

test('CORS: a preflight of any listed origin passes, the POST asks the app', async (t) => {
  const { url } = await startControl(t);
  t.is((await send(url, 'OPTIONS', { origin: CHAT_ORIGIN })).status, 204);
  for (const app of ['shop', 'bare']) {
    const response = await post(url, CHAT_ORIGIN, app);
    t.is(response.headers.get('access-control-allow-origin'), null);
    t.is(response.headers.get('vary'), 'Origin');
    await expectProblem(t, response, 403, 'TRK_ORIGIN_NOT_ALLOWED');
  }
  t.is((await post(url, CHAT_ORIGIN, 'chat')).status, 200);
});

test('CORS: an origin that nobody lists is refused before the body is read', async (t) => {
  const { url } = await startControl(t);
  const origins = ['https://evil.example.com', 'null', `${SHOP_ORIGIN}.evil.com`, SHOP_ORIGIN.toUpperCase(), '*', ''];
  for (const origin of origins) {
    for (const method of ['OPTIONS', 'POST']) {
      const response = await send(url, method, { ...json, origin }, method === 'POST' ? '{' : '');
      t.is(response.headers.get('access-control-allow-origin'), null);
      await expectProblem(t, response, 403, 'TRK_ORIGIN_NOT_ALLOWED');
    }
  }
});

test('CORS: a page reads refusals and how long to wait', async (t) => {
  const { url, node } = await startControl(t);
  node.ready = false;
  const response = await post(url, SHOP_ORIGIN, 'shop');
  t.is(response.headers.get('access-control-allow-origin'), SHOP_ORIGIN);
  t.is(response.headers.get('access-control-expose-headers'), 'retry-after');
  await expectProblem(t, response, 503, 'TRK_NOT_READY');
});

test('CORS: a caller without Origin is no page', async (t) => {
  const { bootstrap } = await startControl(t);
  const response = await bootstrap({ app: 'bare' });
  t.is(response.status, 200);
  t.is(response.headers.get('access-control-allow-origin'), null);
  t.is(response.headers.get('vary'), 'Origin');
});

test('CORS: "*" lets every page in, by its own name', async (t) => {
  const config = parseConfig(`
public: { port: 0 }
apps: { open: { keys: [open-app-key-number-1], origins: ["*"] }, shop: { keys: [shop-app-key-number-1] } }
businesses: { im: { id: 1, apps: [open], keys: [im-business-key-number-1] } }
`);
  const { url } = await startControl(t, { ...CONFIG, apps: config.apps, businesses: config.businesses });
  const response = await post(url, 'https://anything.example', 'open');
  t.is(response.status, 200);
  t.is(response.headers.get('access-control-allow-origin'), 'https://anything.example');
  await expectProblem(t, await post(url, 'https://anything.example', 'shop'), 403, 'TRK_ORIGIN_NOT_ALLOWED');
});

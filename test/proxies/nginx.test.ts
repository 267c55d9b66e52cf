import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Agent, request } from 'undici';
import { createCertificate } from '../support/certificate.js';
import { startNginx } from '../support/proxy-program.js';
import { eventually, startTestNode, TEST_KEYS, type TestNode } from '../support/start-test-node.js';

const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
const files = createCertificate(dir);
const ca = readFileSync(files.certFile, 'utf8');
test.after.always('the certificates are removed', () => rmSync(dir, { recursive: true, force: true }));

const webSocketTo = (host: string) => `location /connect {
    proxy_pass http://${host};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_read_timeout 120s;
  }`;

const httpTo = (host: string) => `location / {
    proxy_pass http://${host};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  }`;

for (const protocol of ['ws', 'wss'] as const) {
  test(`nginx: a device over ${protocol} through it is pushed to`, async (t) => {
    const node = await startTestNode(t, { workers: 1 });
    const location = webSocketTo(new URL(node.ws).host);
    const { plain, secure } = await startNginx(
      t,
      ['plain', 'secure'],
      (ports) =>
        `server { listen 127.0.0.1:${ports.plain}; ${location} }\n` +
        `server { listen 127.0.0.1:${ports.secure} ssl; ssl_certificate ${files.certFile}; ` +
        `ssl_certificate_key ${files.keyFile}; ${location} }`,
    );
    const accessPoint = `${protocol}://127.0.0.1:${protocol === 'ws' ? plain : secure}/connect`;
    const client = node.client('ada', {
      ca,
      credentials: async () => ({ ...(await node.issueToken('ada')), accessPoints: { [protocol]: [accessPoint] } }),
    });
    const pushes: number[] = [];
    client.business('im').onPush((push) => pushes.push(push.payload.length));
    await client.connect();
    for (const length of [1, 200, 70_000]) {
      const body = { payload: 'x'.repeat(length) };
      await node.call('POST', '/v1/apps/demo/devices/ada/push', { key: TEST_KEYS.im, body });
    }
    await eventually(() => pushes.length === 3);
    t.deepEqual(pushes, [1, 200, 70_000]);
  });
}

test('nginx: the bridge through it', async (t) => {
  const node = await startTestNode(t, { workers: 1 });
  const { front } = await startNginx(
    t,
    ['front'],
    (ports) =>
      `server { listen 127.0.0.1:${ports.front}; ` + `${httpTo(node.handle.addresses.services['BridgeActor'] ?? '')} }`,
  );
  await node.online('ada');
  const authorization = `Bearer ${TEST_KEYS.im}`;
  const one = await request(`http://127.0.0.1:${front}/v1/apps/demo/devices/ada/push`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ payload: 'hello' }),
  });
  t.like(await one.body.json(), { result: 'delivered' });
  const refused = await request(`http://127.0.0.1:${front}/v1/apps/demo/devices/ada/push`, { method: 'POST' });
  t.is(refused.statusCode, 401);
  await refused.body.dump();
});

/** One bootstrap from an address. @returns its status */
async function bootstrap(url: string, localAddress: string, headers: Record<string, string> = {}): Promise<number> {
  const dispatcher = new Agent({ localAddress });
  try {
    const answer = await request(`${url}/v1/bootstrap`, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ app: 'demo' }),
    });
    await answer.body.dump();
    return answer.statusCode;
  } finally {
    await dispatcher.close();
  }
}

const publicUrl = (node: TestNode) => `http://${node.handle.addresses.services['ControlActor']}`;
const limited = { workers: 1, app: { bootstrapsPerMinutePerIp: 2 } };

async function inFront(t: ExecutionContext, node: TestNode): Promise<string> {
  const { front } = await startNginx(
    t,
    ['front'],
    (ports) => `server { listen 127.0.0.1:${ports.front}; ${httpTo(new URL(publicUrl(node)).host)} }`,
  );
  return `http://127.0.0.1:${front}`;
}

/** Many at once, so that a minute does not pass between them. @returns whether the limit let all of them through */
async function areAllServed(bootstraps: readonly Promise<number>[]): Promise<boolean> {
  const statuses = await Promise.all(bootstraps);
  const unexpected = statuses.find((status) => status !== 200 && status !== 429);
  if (unexpected !== undefined) throw new Error(`a bootstrap was answered ${unexpected}`);
  return !statuses.includes(429);
}

const TEN = Array.from({ length: 10 }, (_, i) => i);

test('nginx: behind a trusted one the limits of an address are those of the client', async (t) => {
  const node = await startTestNode(t, { ...limited, trustedProxies: ['127.0.0.1'] });
  const url = await inFront(t, node);
  t.true(await areAllServed(TEN.map((i) => bootstrap(url, `127.0.0.${10 + i}`))), 'ten clients, one each');
  t.false(await areAllServed(TEN.map(() => bootstrap(url, '127.0.0.7'))), 'one client, ten');
  // What the client says of itself stands before what the proxy says of it.
  const forged = TEN.map((i) => bootstrap(url, '127.0.0.8', { 'x-forwarded-for': `192.0.2.${i}` }));
  t.false(await areAllServed(forged), 'one client that says it were ten');
});

test('nginx: one that is not trusted is itself the client', async (t) => {
  const node = await startTestNode(t, { ...limited, trustedProxies: ['10.0.0.0/8'] });
  const url = await inFront(t, node);
  t.false(await areAllServed(TEN.map((i) => bootstrap(url, `127.0.0.${10 + i}`))));
});

test('X-Forwarded-For: from a peer that is no trusted proxy it counts for nothing', async (t) => {
  const node = await startTestNode(t, { ...limited, trustedProxies: ['127.0.0.1'] });
  const forged = TEN.map((i) => bootstrap(publicUrl(node), '127.0.0.7', { 'x-forwarded-for': `192.0.2.${i}` }));
  t.false(await areAllServed(forged));
});

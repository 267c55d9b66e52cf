/** Every answer of both listeners, and of what never became a request, carries the same guard. */
import test, { type ExecutionContext } from 'ava';
import { SECURITY_HEADERS } from '../../http/security-headers.js';
import { createHttpClient, exchangeRaw } from '../support/http-client.js';
import { shareTestNode, TEST_KEYS } from '../support/start-test-node.js';

const shared = shareTestNode();

function isGuarded(t: ExecutionContext, headers: Readonly<Record<string, unknown>>, what: string, except = ''): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    if (name !== except) t.is(headers[name], value, `${what}: ${name}`);
  }
}

test('security headers: answers and refusals of the private listener', async (t) => {
  const node = shared();
  for (const [method, path, key] of [
    ['GET', '/healthz'],
    ['GET', '/metrics'],
    ['GET', '/openapi.json'],
    ['GET', '/nowhere'],
    ['PATCH', '/healthz'],
    ['GET', '/v1/%zz'],
    ['GET', '/v1/groups'],
    ['GET', '/v1/groups', TEST_KEYS.im],
    ['POST', '/v1/apps/demo/devices/d/push', TEST_KEYS.im],
    ['POST', '/v1/tokens', TEST_KEYS.im],
  ] as const) {
    const { headers, status } = await node.call(method, path, key === undefined ? {} : { key });
    isGuarded(t, headers, `${method} ${path} ${status}`);
  }
  const raw = await exchangeRaw(node.handle.addresses.services['BridgeActor'] ?? '', ['nonsense\r\n\r\n']);
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) t.true(raw.includes(`${name}: ${value}`), raw);
});

test('security headers: answers and refusals of the public listener, where only keys may be cached', async (t) => {
  const client = createHttpClient(shared().handle.addresses.services['ControlActor'] ?? '');
  t.teardown(() => client.close());
  for (const [method, path, options] of [
    ['POST', '/v1/bootstrap', { body: { app: 'demo', platform: 'web' } }],
    ['POST', '/v1/bootstrap', { body: {} }],
    ['GET', '/nowhere', {}],
  ] as const) {
    const { headers, status } = await client.call(method, path, options);
    isGuarded(t, headers, `${method} ${path} ${status}`);
  }
  const jwks = await client.call('GET', '/.well-known/jwks.json');
  isGuarded(t, jwks.headers, 'jwks', 'cache-control');
  t.regex(String(jwks.headers['cache-control']), /^public/);
});

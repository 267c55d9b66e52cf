import test from 'ava';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { BootstrapAnswer } from '../../control/index.js';
import { ControlActor } from '../../control/index.js';
import { expectProblem, startControl } from './fixtures.js';

test('control: the keys are published, cacheable, without their private half', async (t) => {
  const { url, keys } = await startControl(t);
  const response = await fetch(`${url}/.well-known/jwks.json`);
  t.is(response.status, 200);
  t.regex(response.headers.get('content-type') ?? '', /^application\/jwk-set\+json/);
  t.is(response.headers.get('cache-control'), 'public, max-age=300');
  t.deepEqual(await response.json(), keys.publicJwks());
  t.false(JSON.stringify(keys.publicJwks()).includes('"d"'));
});

test('control: any JWT library verifies a token by the published keys', async (t) => {
  const { url, bootstrap } = await startControl(t);
  const { token, deviceId } = (await (await bootstrap({ app: 'shop' })).json()) as BootstrapAnswer;
  const jwks = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
  const { payload } = await jwtVerify(token, jwks, { issuer: 'trunkline', audience: 'shop', algorithms: ['EdDSA'] });
  t.is(payload.sub, deviceId);
});

test('control: alive also while not ready', async (t) => {
  const { url, node } = await startControl(t);
  node.ready = false;
  const response = await fetch(`${url}/healthz`);
  t.is(response.status, 200);
  t.deepEqual(await response.json(), { status: 'ok' });
});

test('control: what it does not serve is a problem', async (t) => {
  const { url } = await startControl(t);
  await expectProblem(t, await fetch(`${url}/v1/tokens`, { method: 'POST' }), 404, 'TRK_NOT_FOUND');
  await expectProblem(t, await fetch(`${url}/v1/bootstrap`), 405, 'TRK_METHOD_NOT_ALLOWED');
});

test('control: a stopped one listens no more, and may be stopped twice', async (t) => {
  const { actor, bootstrap } = await startControl(t);
  t.is((await bootstrap({ app: 'shop' })).status, 200);
  await actor.stop();
  await t.throwsAsync(bootstrap({ app: 'shop' }), { instanceOf: TypeError });
  await t.notThrowsAsync(actor.stop());
});

test('control: started before it was initialized, it says so', async (t) => {
  await t.throwsAsync(new ControlActor().start(), { instanceOf: TypeError, message: /initialize/ });
});

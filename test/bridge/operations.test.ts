import test from 'ava';
import { createBridgeService } from '../../bridge/index.js';
import { startBridge } from '../support/bridge.js';

test('operations: alive, ready and figures need no key', async (t) => {
  const { call } = await startBridge(t);
  t.deepEqual((await call('GET', '/healthz')).json, { status: 'ok' });
  t.deepEqual((await call('GET', '/readyz')).json, { status: 'ready' });
  const metrics = await call('GET', '/metrics');
  t.is(metrics.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.regex(metrics.text, /^trunkline_connections 3$/m);
});

test('operations: a node that is not ready says why and is alive all the same', async (t) => {
  const { call, node } = await startBridge(t);
  node.ready = false;
  node.reason = 'access worker 1 is down';
  const answer = await call('GET', '/readyz');
  t.is(answer.status, 503);
  t.is(answer.json.code, 'TRK_NOT_READY');
  t.is(answer.json.detail, 'access worker 1 is down');
  t.is((await call('GET', '/healthz')).status, 200);
});

test('operations: the service is an actor that stops once and can start again', async (t) => {
  const { actor, call } = await startBridge(t);
  t.is(createBridgeService().actor, actor.constructor as never);
  await actor.stop();
  await actor.stop();
  await t.throwsAsync(call('GET', '/healthz'), { code: 'ECONNREFUSED' });
  t.regex(await actor.start(), /^127\.0\.0\.1:\d+$/);
});

test('operations: what the composition root mounts is served and described', async (t) => {
  const { call } = await startBridge(t, {
    plugins: [
      () => async (scope) => {
        scope.get('/v1/extra', { schema: { summary: 'Extra' } }, async () => ({ extra: true }));
      },
    ],
  });
  t.deepEqual((await call('GET', '/v1/extra')).json, { extra: true });
  t.is((await call('GET', '/openapi.json')).json.paths['/v1/extra'].get.summary, 'Extra');
});

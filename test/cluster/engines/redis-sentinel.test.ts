import test from 'ava';
import { createEngine } from '../../../cluster/engines/create-engine.js';
import { redisConfig } from '../../support/redis-config.js';
import { RedisSentinel } from '../../support/redis-sentinel.js';
import { testRoutes } from './routes-suite.js';

let server: RedisSentinel;
test.before(async () => {
  server = await RedisSentinel.start();
});
test.after.always(() => server?.stop());

testRoutes('Redis with Sentinel', {
  takesClock: false,
  createRoutes: async (t) => {
    const engine = await createEngine(redisConfig('sentinel', [server.address]));
    t.teardown(() => engine.close());
    return engine.routes;
  },
});

test('Redis with Sentinel: Sentinels that ask for a password are given theirs', async (t) => {
  const password = 'only for Sentinels';
  const guarded = await RedisSentinel.start({ password });
  t.teardown(() => guarded.stop());
  const engine = await createEngine(redisConfig('sentinel', [guarded.address], { sentinelPassword: password }));
  t.teardown(() => engine.close());
  t.deepEqual(await engine.routes.lookup([{ app: 'demo', deviceId: 'ada' }]), [undefined]);
  const without = redisConfig('sentinel', [guarded.address], { connectTimeoutMs: 2_000 });
  await t.throwsAsync(createEngine(without), { code: 'TRK_ENGINE_UNAVAILABLE' });
});

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

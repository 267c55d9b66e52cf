import test from 'ava';
import { createEngine } from '../../../cluster/engines/create-engine.js';
import { redisConfig } from '../../support/redis-config.js';
import { RedisServer } from '../../support/redis-server.js';
import { testRoutes } from './routes-suite.js';

let server: RedisServer;
test.before(async () => {
  server = await RedisServer.start();
});
test.after.always(() => server?.stop());

testRoutes('Redis', {
  takesClock: false,
  createRoutes: async (t) => {
    const engine = await createEngine(redisConfig('standalone', [server.address]));
    t.teardown(() => engine.close());
    return engine.routes;
  },
});

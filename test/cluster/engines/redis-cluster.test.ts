import test from 'ava';
import { createEngine } from '../../../cluster/engines/create-engine.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { redisConfig } from '../../support/redis-config.js';
import { testRoutes } from './routes-suite.js';

let server: RedisCluster;
test.before(async () => {
  server = await RedisCluster.start();
});
test.after.always(() => server?.stop());

testRoutes('Redis Cluster', {
  takesClock: false,
  createRoutes: async (t) => {
    const engine = await createEngine(redisConfig('cluster', server.addresses));
    t.teardown(() => engine.close());
    return engine.routes;
  },
});

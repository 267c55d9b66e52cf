import test from 'ava';
import { RedisCluster } from '../../support/redis-cluster.js';
import { testBus } from './bus-suite.js';
import { testControlState } from './control-state-suite.js';
import { testCredentials } from './credentials-suite.js';
import { testGroups } from './groups-suite.js';
import { testMembership } from './membership-suite.js';
import { enginesOnRedis } from './under-test.js';

const servers = await RedisCluster.start();
test.after.always(() => servers.stop());

const cluster = enginesOnRedis('cluster', () => servers.addresses);
testGroups('cluster', cluster);
testBus('cluster', cluster);
testMembership('cluster', cluster);
testCredentials('cluster', cluster);
testControlState('cluster', cluster);

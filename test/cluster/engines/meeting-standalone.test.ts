import test from 'ava';
import { RedisServer } from '../../support/redis-server.js';
import { testBus } from './bus-suite.js';
import { testControlState } from './control-state-suite.js';
import { testCredentials } from './credentials-suite.js';
import { testGroups } from './groups-suite.js';
import { testMembership } from './membership-suite.js';
import { enginesOnRedis } from './under-test.js';

const server = await RedisServer.start();
test.after.always(() => server.stop());

const standalone = enginesOnRedis('standalone', () => [server.address]);
testGroups('standalone', standalone);
testBus('standalone', standalone);
testMembership('standalone', standalone);
testCredentials('standalone', standalone);
testControlState('standalone', standalone);

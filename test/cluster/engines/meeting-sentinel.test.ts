import test from 'ava';
import { RedisSentinel } from '../../support/redis-sentinel.js';
import { testBus } from './bus-suite.js';
import { testControlState } from './control-state-suite.js';
import { testCredentials } from './credentials-suite.js';
import { testGroups } from './groups-suite.js';
import { testMembership } from './membership-suite.js';
import { enginesOnRedis } from './under-test.js';

const servers = await RedisSentinel.start();
test.after.always(() => servers.stop());

const sentinel = enginesOnRedis('sentinel', () => [servers.address]);
testGroups('sentinel', sentinel);
testBus('sentinel', sentinel);
testMembership('sentinel', sentinel);
testCredentials('sentinel', sentinel);
testControlState('sentinel', sentinel);

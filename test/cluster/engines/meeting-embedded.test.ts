import { createEmbeddedEngine } from '../../../cluster/engines/embedded/index.js';
import { testBus } from './bus-suite.js';
import { testControlState } from './control-state-suite.js';
import { testCredentials } from './credentials-suite.js';
import { testGroups } from './groups-suite.js';
import { testMembership } from './membership-suite.js';
import type { EnginesUnderTest } from './under-test.js';

let nowMs = 0;

const embedded: EnginesUnderTest = {
  spansNodes: false,
  elapse: async (ms) => {
    nowMs += ms;
  },
  createEngines: async (t) => {
    const engine = createEmbeddedEngine({ leaseClockMs: () => nowMs });
    t.teardown(() => engine.close());
    return [engine];
  },
};

testGroups('embedded', embedded);
testBus('embedded', embedded);
testMembership('embedded', embedded);
testCredentials('embedded', embedded);
testControlState('embedded', embedded);

import { createEmbeddedEngine } from '../../../cluster/engines/embedded/index.js';
import { testEngine } from './contract-suite.js';

testEngine('embedded', {
  takesClock: true,
  createEngine: async (t, options) => {
    const engine = createEmbeddedEngine(options);
    t.teardown(() => engine.close());
    return engine;
  },
});

import { createEmbeddedEngine } from '../../../cluster/engines/embedded/index.js';
import { testRoutes } from './routes-suite.js';

testRoutes('embedded', {
  takesClock: true,
  createRoutes: async (t, options) => {
    const engine = createEmbeddedEngine(options);
    t.teardown(() => engine.close());
    return engine.routes;
  },
});

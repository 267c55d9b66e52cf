export default {
  // Faults of many nodes and what takes network namespaces run alone: `npm run test:cluster`.
  files: ['dist/test/**/*.test.js', '!dist/test/cluster/many-nodes/faults/**', '!dist/test/namespaces/**'],
  // Real servers, threads and a browser on two shared cores: generous, so that only a hang ends it.
  timeout: '5m',
  concurrency: 2,
};

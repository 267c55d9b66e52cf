export default {
  // Faults of many nodes run alone: `npm run test:cluster`.
  files: ['dist/test/**/*.test.js', '!dist/test/cluster/many-nodes/faults/**'],
  // Real servers, threads and a browser on two shared cores: generous, so that only a hang ends it.
  timeout: '5m',
  concurrency: 2,
};

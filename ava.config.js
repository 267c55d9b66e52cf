export default {
  files: ['dist/test/**/*.test.js'],
  // Real servers, threads and a browser on two shared cores: generous, so that only a hang ends it.
  timeout: '5m',
  concurrency: 2,
};

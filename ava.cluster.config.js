export default {
  files: ['dist/test/cluster/many-nodes/faults/*.test.js', 'dist/test/namespaces/*.test.js'],
  // Each starts half a dozen processes and takes some of them away; side by side they would be each other's fault.
  concurrency: 1,
  timeout: '5m',
};

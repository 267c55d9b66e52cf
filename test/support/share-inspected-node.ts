/** One inspected node for all tests of a file; each test takes device and group names that no other has. */
import test from 'ava';
import { InspectedNode } from './inspected-node.js';
import type { TestNodeOptions } from './test-config.js';

export function shareInspectedNode(options: TestNodeOptions = {}): () => InspectedNode {
  let node: InspectedNode | undefined;
  test.before('a node starts in a process of its own', async () => {
    node = await InspectedNode.start(options);
  });
  test.after.always('the node stops', () => node?.stop());
  return () => {
    if (node === undefined) throw new Error('the shared node did not start');
    return node;
  };
}

/** The back-end client of one business at a test node; ends with the test. */
import type { ExecutionContext } from 'ava';
import { BackEndClient } from '../../sdk/backend/index.js';
import { TEST_KEYS, type TestNode } from './start-test-node.js';

export function backEndOf(t: ExecutionContext, node: TestNode, business: 'im' | 'live' = 'im'): BackEndClient {
  const address = node.handle.addresses.services['BridgeActor'] ?? '';
  const client = new BackEndClient({
    url: `http://${address}`,
    key: TEST_KEYS[business],
    app: 'demo',
    timeoutMs: 60_000,
  });
  t.teardown(() => client.close());
  return client;
}

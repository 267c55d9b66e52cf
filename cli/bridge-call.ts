/** One call to a node's private listener through the back-end client. */
import { BackEndClient } from '../sdk/backend/index.js';
import { type KeyArguments, readKey } from './key-source.js';
import { checkHttpUrl, explain } from './refusals.js';

/** @throws {NodeRefusedError} no answer, or a refusal; {UsageError} no key, or a URL that is none */
export async function callBridge<T>(args: KeyArguments, call: (bridge: BackEndClient) => Promise<T>): Promise<T> {
  checkHttpUrl('--url', args.url);
  const bridge = new BackEndClient({ url: args.url, key: readKey(args), connections: 1 });
  try {
    return await call(bridge);
  } catch (error) {
    throw explain(error, args);
  } finally {
    await bridge.close();
  }
}

/**
 * One call to a node's private listener through the back-end client, with what went wrong said in words a person can
 * act on.
 */
import { BackEndClient, BridgeError, BridgeUnreachableError } from '../sdk/backend/index.js';
import { NodeRefusedError, UsageError } from './errors.js';
import { type KeyArguments, readKey } from './key-source.js';

/** @throws {NodeRefusedError} no answer, or a refusal; {UsageError} no key, or a URL that is none */
export async function callBridge<T>(args: KeyArguments, call: (bridge: BackEndClient) => Promise<T>): Promise<T> {
  const { url } = args;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw new UsageError(`--url: not an http URL: ${url}`);
  const bridge = new BackEndClient({ url, key: readKey(args), connections: 1 });
  try {
    return await call(bridge);
  } catch (error) {
    if (error instanceof BridgeError) throw refusal(url, error);
    if (error instanceof BridgeUnreachableError) throw unreachable(url, error);
    throw error;
  } finally {
    await bridge.close();
  }
}

function unreachable(url: string, error: BridgeUnreachableError): NodeRefusedError {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  const reason = cause?.name === 'TimeoutError' ? 'no answer in time' : (cause?.code ?? cause?.message ?? 'unknown');
  const message = `${url} does not answer (${reason}). Is the node running? --url names its private listener.`;
  return new NodeRefusedError(message, undefined, error.code, { cause: error });
}

function refusal(url: string, error: BridgeError): NodeRefusedError {
  const fields = error.errors.map(({ field, detail }) => `; ${field}: ${detail}`).join('');
  const advice = error.status === 401 ? ' Check the key: --key-file, --key or TRUNKLINE_KEY.' : '';
  const message = `${url} refused (${error.status}, ${error.code}): ${error.detail}${fields}.${advice}`;
  return new NodeRefusedError(message, error.status, error.code, { cause: error });
}

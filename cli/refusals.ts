/** What went wrong between a command and a node, in words a person can act on. */
import { BridgeError, BridgeUnreachableError } from '../sdk/backend/index.js';
import { fromEnvironment, Variable } from './environment.js';
import { NodeRefusedError, UsageError } from './errors.js';
import type { KeyArguments } from './key-source.js';

/** @throws {UsageError} it is no http URL */
export function checkHttpUrl(flag: string, url: string): void {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw new UsageError(`${flag}: not an http URL: ${url}`);
}

/** @returns what to throw instead of `error` */
export function explain(error: unknown, { url }: Pick<KeyArguments, 'url'>): unknown {
  if (error instanceof BridgeError) return refusal(url, error);
  if (error instanceof BridgeUnreachableError) return unreachable(url, error);
  return error;
}

function unreachable(url: string, error: BridgeUnreachableError): NodeRefusedError {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  const reason = cause?.name === 'TimeoutError' ? 'no answer in time' : (cause?.code ?? cause?.message ?? 'unknown');
  const origin = fromEnvironment(Variable.url) === url ? `${Variable.url} names` : `--url or ${Variable.url} names`;
  const message = `${url} does not answer (${reason}). Is the node running? ${origin} its private listener.`;
  return new NodeRefusedError(message, undefined, error.code, { cause: error });
}

function refusal(url: string, error: BridgeError): NodeRefusedError {
  const fields = error.errors.map(({ field, detail }) => `; ${field}: ${detail}`).join('');
  const message = `${url} refused (${error.status}, ${error.code}): ${error.detail}${fields}.${adviceFor(error)}`;
  return new NodeRefusedError(message, error.status, error.code, { cause: error });
}

function adviceFor({ status, code, retryAfterMs }: BridgeError): string {
  if (status === 401) return ` Check the key: --key-file, ${Variable.keyFile} or ${Variable.key}.`;
  if (code === 'TRK_BRIDGE_REFUSED') return ' Is this the private listener of a node?';
  if (retryAfterMs !== undefined) return ` Try again in ${retryAfterMs / 1000} s.`;
  return '';
}

/**
 * `POST /v1/bootstrap` at the control layer, and the identity that goes with it: an id and secret once minted
 * are sent again ever after.
 *
 * @see docs/control.md, "Bootstrap"
 */
import type { StringMap } from '../protocol/index.js';
import { type Credentials, checkBootstrap } from './bootstrap.js';
import { BootstrapError } from './errors.js';
import type { DeviceIdentity, IdentityStorage } from './storage.js';

/** An answer that takes longer counts as none. */
const BOOTSTRAP_TIMEOUT_MS = 10_000;

/** Refusals after which the same question may be answered; the control layer's other 4xx need another question. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

export interface HttpBootstrapOptions {
  readonly url: string;
  readonly app: string;
  /** As the application set it; wins over what `storage` holds. */
  readonly identity: DeviceIdentity | undefined;
  readonly storage: IdentityStorage;
  /** Asked anew each time: an assertion lives shortly. */
  readonly assertion: (() => Promise<string>) | undefined;
  readonly attributes: StringMap;
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Refused although the secret was handed out with the id: the service was set up anew. The device starts over
 * rather than be locked out for ever; an id that the application itself named is never given up.
 */
const IDENTITY_REFUSED = 'TRK_DEVICE_NOT_PROVEN';

/** @returns the `credentials` port: each call asks the control layer */
export function httpBootstrap(options: HttpBootstrapOptions): () => Promise<Credentials> {
  return async () => {
    if (options.identity !== undefined) return askAs(options, options.identity);
    const stored = await options.storage.get();
    try {
      return await askAs(options, stored);
    } catch (error) {
      if (stored === undefined || (error as BootstrapError).problemCode !== IDENTITY_REFUSED) throw error;
      await options.storage.set(undefined);
      return askAs(options, undefined);
    }
  };
}

async function askAs(options: HttpBootstrapOptions, identity: DeviceIdentity | undefined): Promise<Credentials> {
  const { app, attributes } = options;
  const assertion = await options.assertion?.();
  const response = await ask(options, { app, ...identity, assertion, attributes });
  if (!response.ok) throw await refusal(response);
  const credentials = checkBootstrap(await bodyOf(response));
  const { deviceId, deviceSecret } = credentials;
  // Only a freshly minted id comes with its secret; nothing else is worth keeping.
  if (deviceId !== undefined && deviceSecret !== undefined) await options.storage.set({ deviceId, deviceSecret });
  return credentials;
}

async function ask(options: HttpBootstrapOptions, body: unknown): Promise<Response> {
  try {
    return await options.fetch(`${options.url.replace(/\/+$/, '')}/v1/bootstrap`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(BOOTSTRAP_TIMEOUT_MS),
    });
  } catch (cause) {
    throw new BootstrapError('bootstrap: no answer from the control layer', { retryable: true, cause });
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new BootstrapError('bootstrap: the answer is not JSON', {
      httpStatus: response.status,
      retryable: true,
      cause,
    });
  }
}

async function refusal(response: Response): Promise<BootstrapError> {
  const { status } = response;
  const problem = (await response.json().catch(() => undefined)) as Record<string, unknown> | null | undefined;
  const problemCode = typeof problem?.['code'] === 'string' ? problem['code'] : undefined;
  const detail = problem?.['detail'] ?? problem?.['title'] ?? response.statusText;
  return new BootstrapError(`bootstrap: refused with ${status}: ${detail}`, {
    httpStatus: status,
    problemCode,
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
    // Without a code of ours it was a proxy or a hotel's login page that answered, and those go away.
    retryable: status >= 500 || RETRYABLE_STATUSES.has(status) || problemCode === undefined,
  });
}

/** Seconds, as our servers send it; a date is left to the back-off. */
function retryAfterMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,7}$/.test(header) ? Number(header) * 1000 : undefined;
}

/**
 * The client for browsers: WebSocket from the page, an identity that lives as long as the tab (two tabs are two
 * devices; pass `webStorage(localStorage)` for one per browser profile, whose tabs then replace each other), and
 * the browser's own word on when the network is back.
 */
import { TrunklineClient } from './client.js';
import type { TrunklineClientOptions } from './options.js';
import { type IdentityStorage, memoryStorage, type WebStorageLike, webStorage } from './storage.js';
import type { Connectors } from './transports/connector.js';
import { webSocketConnector } from './transports/websocket-connector.js';

export * from './index.js';

export interface BrowserClientOptions extends Omit<TrunklineClientOptions, 'transports'> {
  /** WebSocket, plain and secure, by default. */
  readonly transports?: Connectors | undefined;
}

export function createClient(options: BrowserClientOptions): TrunklineClient {
  return new TrunklineClient({
    ...options,
    attributes: { platform: 'web', ...options.attributes },
    transports: options.transports ?? webTransports(),
    storage: options.storage ?? tabStorage(),
    memory: options.memory ?? originStorage(),
    networkName: options.networkName ?? connectionType,
    networkHints: options.networkHints ?? browserHints,
  });
}

function webTransports(): Connectors {
  const webSocket = webSocketConnector(WebSocket);
  return { wss: webSocket, ws: webSocket };
}

/** Pages without storage (some embedded ones) keep the identity in memory. */
function tabStorage(): IdentityStorage {
  try {
    return webStorage(sessionStorage);
  } catch {
    return memoryStorage();
  }
}

/** What a network taught is of use to every tab. */
function originStorage(): WebStorageLike | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

/** Where the browser tells (Network Information API): `wifi`, `cellular`... */
function connectionType(): string {
  return (navigator as { connection?: { type?: string } }).connection?.type ?? '';
}

function browserHints(onHint: () => void): () => void {
  // Back from the background, where timers were held back and the link may have died unnoticed.
  const onVisible = (): void => {
    if (document.visibilityState === 'visible') onHint();
  };
  addEventListener('online', onHint);
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    removeEventListener('online', onHint);
    document.removeEventListener('visibilitychange', onVisible);
  };
}

/**
 * One connection for all tabs of an origin. This file is all that a page loads where there is a SharedWorker, which
 * holds the client; where there is none, the client is loaded into the page and the tab has a connection of its own.
 */
import { InvalidOptionError } from './errors.js';
import { type IdentityStorage, memoryStorage, webStorage } from './storage.js';
import type { LockManagerLike } from './tabs/life-signs.js';
import type { PortLike } from './tabs/port-channel.js';
import type { SharedClient } from './tabs/shared-client.js';
import { type SharedClientOptions, sharedSettings, WEB_PROTOCOLS, workerName } from './tabs/shared-settings.js';
import { TabClient } from './tabs/tab-client.js';

export { CloseCode, GapReason, GoAwayReason, Status, type StringMap, TrunklineError } from '../protocol/index.js';
export * from './errors.js';
export type { ClientEvent, ClientEventOf, ClientEventType, Membership, Message, Push, Reply } from './index.js';
export {
  type DeviceIdentity,
  type IdentityStorage,
  memoryStorage,
  type WebStorageLike,
  webStorage,
} from './storage.js';
export type { SharedChannel, SharedClient } from './tabs/shared-client.js';
export type { SharedClientOptions, WebProtocol } from './tabs/shared-settings.js';

export interface CreateSharedClientOptions extends SharedClientOptions {
  /** Of the worker's script, same origin; `trunkline.shared-worker.js` beside this file by default. */
  readonly workerUrl?: string | URL | undefined;
  /** Keeps the device's identity, the same for every tab; `localStorage` by default. Not used without a worker. */
  readonly storage?: IdentityStorage | undefined;
}

/**
 * Attaches to the worker of this origin, which is started by the first tab. Nothing is connected before `connect`.
 *
 * @returns a client that shares its connection; with a connection of its own (`link` is `own`) where there is no
 *   SharedWorker or its script could not be loaded
 * @throws {InvalidOptionError} names the option
 */
export async function createSharedClient(options: CreateSharedClientOptions): Promise<SharedClient> {
  if (typeof SharedWorker === 'undefined') return createOwnClient(options);
  const { credentials, assertion, storage = profileStorage() } = options;
  const client = new TabClient({
    settings: sharedSettings(options),
    callbacks: { credentials, assertion, storage },
    openPort: (onFailed) => openPort(options, onFailed),
    locks: (navigator as { locks?: LockManagerLike }).locks,
  });
  try {
    await client.attach();
  } catch (error) {
    if (error instanceof InvalidOptionError) throw error;
    return createOwnClient(options);
  }
  followPage(client);
  return client;
}

async function createOwnClient(options: CreateSharedClientOptions): Promise<SharedClient> {
  const { createClient, webSocketConnector } = await import('./browser.js');
  const { workerUrl: _, storage: __, protocols = WEB_PROTOCOLS, ...rest } = options;
  const webSocket = webSocketConnector(WebSocket);
  const transports = Object.fromEntries(protocols.map((protocol) => [protocol, webSocket]));
  return Object.assign(createClient({ ...rest, transports }), { link: 'own' as const });
}

/** Keeps each worker's object for as long as its port: one that is collected tells no error. */
const workers = new WeakMap<MessagePort, SharedWorker>();

function openPort(options: CreateSharedClientOptions, onFailed: (error: Error) => void): PortLike {
  const url = options.workerUrl ?? new URL('./trunkline.shared-worker.js', import.meta.url);
  const worker = new SharedWorker(url, { type: 'module', name: workerName(options) });
  workers.set(worker.port, worker);
  worker.onerror = () => onFailed(new Error('the script of the shared worker was not loaded'));
  return worker.port;
}

/** Pages without storage keep the identity in memory: a new device each time the last tab has closed. */
function profileStorage(): IdentityStorage {
  try {
    return webStorage(localStorage);
  } catch {
    return memoryStorage();
  }
}

function followPage(client: TabClient): void {
  addEventListener('pagehide', () => client.suspend());
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) client.resume();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') client.hint();
  });
}

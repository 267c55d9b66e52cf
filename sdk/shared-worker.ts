/**
 * The script of the SharedWorker that holds one connection for every tab of an origin; `createSharedClient` starts
 * it. Bundled as `trunkline.shared-worker.js`, complete in one file.
 */
import { holdLock, lockName } from './tabs/life-signs.js';
import { TabHub } from './tabs/tab-hub.js';
import { createWorkerClient } from './tabs/worker-client.js';

/** The part of SharedWorkerGlobalScope that is used; TypeScript's DOM library does not hold it. */
interface SharedWorkerScope {
  onconnect: ((event: MessageEvent) => void) | null;
  addEventListener(type: 'online', listener: () => void): void;
}

const scope = globalThis as unknown as SharedWorkerScope;
const { locks } = navigator as { locks?: LockManager };
const lock = lockName('worker');
// Held for as long as this worker lives. Tabs that come before it is granted are welcomed after.
const held = locks === undefined ? Promise.resolve() : holdLock(locks, lock);
const hub = new TabHub({ createClient: createWorkerClient, locks, lock });

scope.addEventListener('online', () => hub.hint());
scope.onconnect = ({ ports: [port] }) => {
  if (port !== undefined) void held.then(() => hub.attach(port));
};

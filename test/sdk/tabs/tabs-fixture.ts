/** Tabs at a hub over real MessageChannels, and the hub's client, Node's over TCP, at a scripted server. */
import type { ExecutionContext } from 'ava';
import { createClient } from '../../../sdk/node.js';
import { holdLock } from '../../../sdk/tabs/life-signs.js';
import { type SharedClientOptions, sharedSettings } from '../../../sdk/tabs/shared-settings.js';
import { TabClient } from '../../../sdk/tabs/tab-client.js';
import { TabHub } from '../../../sdk/tabs/tab-hub.js';
import { MemoryLocks } from '../../support/memory-locks.js';
import { type Peer, ScriptedServer } from '../../support/scripted-server.js';

export class TabsFixture {
  readonly locks = new MemoryLocks();
  #workers = 0;
  hub!: TabHub;
  readonly #ends: (() => void)[] = [];

  private constructor(
    readonly server: ScriptedServer,
    readonly hasLocks: boolean,
  ) {}

  /** @param options `hasLocks` false: a page that is no secure context */
  static async start(t: ExecutionContext, { hasLocks = true } = {}): Promise<TabsFixture> {
    const server = await ScriptedServer.start();
    const fixture = new TabsFixture(server, hasLocks);
    await fixture.startWorker();
    t.teardown(async () => {
      for (const end of fixture.#ends) end();
      await server.stop();
    });
    return fixture;
  }

  /** A new worker, to which tabs attach from now on. */
  async startWorker(): Promise<void> {
    this.#workers += 1;
    if (this.hasLocks) await holdLock(this.locks, this.workerLock);
    this.hub = new TabHub({
      createClient: ({ asks: _, protocols: __, ...settings }, callbacks) => {
        const client = createClient({ ...settings, ...callbacks, random: () => 0.5 });
        this.#ends.push(() => client.close());
        return client;
      },
      locks: this.hasLocks ? this.locks : undefined,
      lock: this.workerLock,
    });
  }

  get workerLock(): string {
    return `worker-${this.#workers}`;
  }

  async openTab(options: SharedClientOptions = {}): Promise<TabClient> {
    const { credentials, assertion, storage, ...plain } = options;
    const full = { bootstrapUrl: this.server.bootstrapUrl, app: 'demo', ...plain };
    const tab = new TabClient({
      settings: sharedSettings({ ...full, credentials, assertion }),
      callbacks: { credentials, assertion, storage },
      openPort: () => {
        const { port1, port2 } = new MessageChannel();
        this.hub.attach(port2);
        this.#ends.push(() => port1.close());
        return port1;
      },
      locks: this.hasLocks ? this.locks : undefined,
    });
    await tab.attach();
    this.#ends.push(() => tab.close());
    return tab;
  }

  /** Logs the connection in that the first of these tabs makes, and connects them all. */
  async online(...tabs: TabClient[]): Promise<Peer> {
    const connected = tabs.map((tab) => tab.connect());
    const peer = await this.server.accept();
    await peer.login();
    await Promise.all(connected);
    return peer;
  }

  /** The page of the tab that attached last is gone, and said nothing. */
  killLastTab(): void {
    const lock = this.locks.names.filter((name) => name.startsWith('trunkline-tab-')).at(-1);
    this.locks.kill(lock ?? '');
  }
}

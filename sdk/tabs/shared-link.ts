/**
 * The one client of all tabs, in the worker, and which tab wants what of it: pushes, requests to answer, groups.
 *
 * A tab sees what it would see with a connection of its own: pushes of a group go to the tabs that joined it, pushes
 * to the device (and of groups that a back-end put it into) to every tab that listens.
 */
import { GapReason } from '../../protocol/index.js';
import type { TrunklineClient } from '../client.js';
import type { ClientEvent, ClientEventOf, ClientEventType } from '../events.js';
import type { Push } from '../message.js';
import type { ServedReply, ServedRequest } from '../served-requests.js';
import { toPlainError } from './error-codec.js';
import { GroupHolders } from './group-holders.js';
import type { PortChannel } from './port-channel.js';
import type { PlainEvent, Served, TabNotice, TabQuestion, WorkerOutbox } from './port-messages.js';

export type TabPort = PortChannel<WorkerOutbox, TabQuestion, TabNotice>;

/** All of them: a type that is missing here does not compile. */
const EVENT_TYPES: Record<ClientEventType, true> = {
  state: true,
  online: true,
  offline: true,
  goaway: true,
  gap: true,
  'rejoin-failed': true,
  'token-refreshed': true,
  error: true,
};

interface Listened {
  readonly tabs: Set<TabPort>;
  readonly stop: () => void;
}

interface Answered {
  /** The one that offered last answers. */
  readonly tabs: TabPort[];
  readonly stop: () => void;
}

export class SharedLink {
  readonly client: TrunklineClient;
  readonly groups: GroupHolders<TabPort>;
  readonly #tabs: () => Iterable<TabPort>;
  readonly #listened = new Map<string, Listened>();
  readonly #answered = new Map<string, Answered>();
  #login: ClientEventOf<'online'> | undefined;

  /** @param tabs those that are attached */
  constructor(client: TrunklineClient, tabs: () => Iterable<TabPort>) {
    this.client = client;
    this.#tabs = tabs;
    this.groups = new GroupHolders((business) => client.business(business));
    for (const type of Object.keys(EVENT_TYPES) as ClientEventType[]) client.on(type, (event) => this.#happened(event));
  }

  /** Tells the tab where the connection stands, makes it if need be. @returns at the login */
  connect(tab: TabPort): Promise<void> {
    const { state, deviceId } = this.client;
    tab.tell({ kind: 'snapshot', state, deviceId, online: state === 'online' ? this.#login : undefined });
    return this.client.connect();
  }

  listen(tab: TabPort, business: string, on: boolean): void {
    const listened = this.#listened.get(business) ?? {
      tabs: new Set(),
      stop: this.client.business(business).onPush((push) => this.#pushed(business, push)),
    };
    this.#listened.set(business, listened);
    if (on) listened.tabs.add(tab);
    else listened.tabs.delete(tab);
    if (listened.tabs.size > 0) return;
    listened.stop();
    this.#listened.delete(business);
  }

  serve(tab: TabPort, served: Served, on: boolean): void {
    const key = `${served.business}\n${served.method ?? ''}`;
    const answered = this.#answered.get(key) ?? { tabs: [], stop: this.#answer(served, key) };
    this.#answered.set(key, answered);
    removeFrom(answered.tabs, tab);
    if (on) answered.tabs.push(tab);
    if (answered.tabs.length > 0) return;
    answered.stop();
    this.#answered.delete(key);
  }

  /** The tab has gone. */
  drop(tab: TabPort): void {
    for (const business of [...this.#listened.keys()]) this.listen(tab, business, false);
    for (const [key, { tabs, stop }] of this.#answered) {
      removeFrom(tabs, tab);
      if (tabs.length > 0) continue;
      stop();
      this.#answered.delete(key);
    }
    this.groups.drop(tab);
  }

  #happened(event: ClientEvent): void {
    if (event.type === 'online') this.#login = event;
    const concerned = 'group' in event && event.group !== '' ? event : undefined;
    // Before the sweep: those who were in the group hear that it is over.
    for (const tab of this.#tabs()) {
      const { business = '', group = '' } = concerned ?? {};
      const isConcerned = concerned === undefined || this.#isFor(tab, business, group);
      if (!isConcerned) continue;
      const position = concerned && this.groups.position(business, group);
      tab.tell({ kind: 'event', event: plain(event), deviceId: this.client.deviceId, position });
    }
    if (isEnd(event)) this.groups.sweep();
  }

  #pushed(business: string, { messageId, metadata, payload, group, offset }: Push): void {
    const origin = group === undefined || offset === undefined ? undefined : { group, offset };
    const position = group === undefined ? undefined : this.groups.position(business, group);
    for (const tab of this.#listened.get(business)?.tabs ?? []) {
      if (group !== undefined && !this.#isFor(tab, business, group)) continue;
      tab.tell({ kind: 'push', business, messageId, metadata, payload, origin, position });
    }
  }

  #isFor(tab: TabPort, business: string, group: string): boolean {
    return this.groups.isHolder(tab, business, group) || !this.groups.isHeld(business, group);
  }

  #answer(served: Served, key: string): () => void {
    const { business, method } = served;
    const handler = ({ method, metadata, payload, deadlineMs, signal }: ServedRequest): Promise<ServedReply> => {
      const tabs = this.#answered.get(key)?.tabs ?? [];
      const tab = tabs[tabs.length - 1] as TabPort;
      return tab.ask({ kind: 'serve', served, method, metadata, payload, deadlineMs }, signal);
    };
    const channel = this.client.business(business);
    return method === undefined ? channel.onRequest(handler) : channel.onRequest(method, handler);
  }
}

/** A membership is over, or all are. */
function isEnd(event: ClientEvent): boolean {
  if (event.type === 'gap') return event.reason === GapReason.membershipEnded;
  if (event.type === 'rejoin-failed') return !event.retrying;
  return event.type === 'state' && event.state === 'closed';
}

function plain(event: ClientEvent): PlainEvent {
  return 'error' in event ? { ...event, error: toPlainError(event.error) } : event;
}

function removeFrom<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}

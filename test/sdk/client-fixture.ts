/** A client at a scripted server, both ended with the test. */
import type { ExecutionContext } from 'ava';
import {
  type ClientEventOf,
  type ClientEventType,
  createClient,
  type NodeClientOptions,
  type TrunklineClient,
} from '../../sdk/node.js';
import { type Peer, ScriptedServer } from '../support/scripted-server.js';

export async function startServer(t: ExecutionContext): Promise<ScriptedServer> {
  const server = await ScriptedServer.start();
  t.teardown(() => server.stop());
  return server;
}

export function startClient(
  t: ExecutionContext,
  server: ScriptedServer,
  options: NodeClientOptions = {},
): TrunklineClient {
  const client = createClient({ bootstrapUrl: server.bootstrapUrl, app: 'demo', random: () => 0.5, ...options });
  t.teardown(() => client.close());
  return client;
}

/** A client that is logged in, and the server's end of its link. */
export async function startOnline(
  t: ExecutionContext,
  options: NodeClientOptions = {},
  connack: Parameters<Peer['login']>[0] = {},
): Promise<{ server: ScriptedServer; client: TrunklineClient; peer: Peer }> {
  const server = await startServer(t);
  const client = startClient(t, server, options);
  const connected = client.connect();
  const peer = await server.accept();
  await peer.login(connack);
  await connected;
  return { server, client, peer };
}

/** The next event of a type. */
export function nextEvent<T extends ClientEventType>(client: TrunklineClient, type: T): Promise<ClientEventOf<T>> {
  return new Promise((resolve) => {
    const off = client.on(type, (event) => {
      off();
      resolve(event);
    });
  });
}

/** Every event of a type, as they come. */
export function allEvents<T extends ClientEventType>(client: TrunklineClient, type: T): ClientEventOf<T>[] {
  const events: ClientEventOf<T>[] = [];
  client.on(type, (event) => events.push(event));
  return events;
}

/** Lets what hangs on settled promises run, before a test moves the clock. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

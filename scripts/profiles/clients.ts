/**
 * Measures from inside the clients' namespace, in a process of its own: from `connect` to the first CONNACK, with
 * fresh clients side by side, and once more by each with what it remembers. Tokens are at hand, so no bootstrap is in it.
 *
 *     node clients.js '{"racing":true,"caFile":"...","tokens":["..."],"accessPoints":{"tls":["..."]}}'
 */
import { readFileSync } from 'node:fs';
import { type Bootstrap, type ClientEventOf, createClient, type Protocol, webMemory } from '../../sdk/node.js';

export interface ClientsOptions {
  readonly racing: boolean;
  readonly connectTimeoutMs: number;
  readonly caFile: string;
  /** One for each client. */
  readonly tokens: readonly string[];
  readonly accessPoints: Bootstrap['accessPoints'];
  readonly protocols: readonly Protocol[];
}

export interface Measured {
  readonly firstMs: number;
  readonly protocol: string;
  readonly why: string;
  /** Another client with the same memory, as after a restart of the app; only with racing, which remembers. */
  readonly next?: { readonly ms: number; readonly why: string };
}

const options = JSON.parse(process.argv[2] ?? '') as ClientsOptions;
const ca = readFileSync(options.caFile, 'utf8');

async function measure(token: string): Promise<Measured> {
  const memory = webMemory();
  const once = async (): Promise<{ ms: number; online: ClientEventOf<'online'> }> => {
    const client = createClient({
      ca,
      racing: options.racing,
      connectTimeoutMs: options.connectTimeoutMs,
      memory: options.racing ? memory : false,
      credentials: async () => ({
        token,
        expiresAtMs: Date.now() + 3_600_000,
        accessPoints: options.accessPoints,
        protocols: options.protocols,
      }),
    });
    const online = new Promise<ClientEventOf<'online'>>((resolve) => client.on('online', resolve));
    const startedMs = performance.now();
    await client.connect();
    const ms = performance.now() - startedMs;
    client.close();
    return { ms, online: await online };
  };
  const first = await once();
  const { protocol, why } = first.online;
  if (!options.racing) return { firstMs: first.ms, protocol, why };
  const next = await once();
  return { firstMs: first.ms, protocol, why, next: { ms: next.ms, why: next.online.why } };
}

process.stdout.write(`${JSON.stringify(await Promise.all(options.tokens.map(measure)))}\n`);
// Links of losers may still be closing.
process.exit(0);

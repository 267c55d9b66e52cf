/**
 * Time to the first CONNACK over good and bad networks, with racing and without:
 *
 *     npm run profiles -- --clients 9 --delay 40 --timeout 10000
 *
 * A node in one network namespace behind a relay that adds `--delay` ms each way, clients in another, nftables between.
 * A candidate that nobody answers fails after `--timeout` ms.
 * Prints the table of docs/client.md. Takes root, iproute2, nftables and OpenSSL; everything ends with this process.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { Protocol } from '../sdk/node.js';
import { NodeProcess } from '../test/support/node-process.js';
import { testConfig } from '../test/support/test-config.js';
import { DeviceSecrets, SigningKeys, TokenIssuer } from '../tokens/index.js';
import type { ClientsOptions, Measured } from './profiles/clients.js';
import { Lab } from './profiles/lab.js';
import { PROFILES } from './profiles/profile.js';
import type { RelayOptions } from './profiles/relay.js';

/** The control layer's order, and where each is offered. Secure WebSocket stands at 443, as it would. */
const PORTS: readonly (readonly [Protocol, number])[] = [
  ['quic', 7112],
  ['tls', 7110],
  ['wss', 443],
  ['tcp', 7100],
  ['ws', 7101],
];
const TOKEN_TTL_MS = 3_600_000;

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '9' },
    delay: { type: 'string', default: '40' },
    timeout: { type: 'string', default: '10000' },
  },
});
const clients = Number(values.clients);
const delayMs = Number(values.delay);
const connectTimeoutMs = Number(values.timeout);
if (!(clients >= 1) || !(delayMs >= 0)) throw new Error('--clients is a number from 1, --delay one from 0');

const cleanups: (() => unknown)[] = [];
const scope = { teardown: (cleanup: () => unknown) => void cleanups.push(cleanup) };

async function main(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-profiles-'));
  scope.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const lab = Lab.open();
  scope.teardown(() => lab.close());
  const files = createCertificate(dir, lab.serviceAddresses);
  const issuer = await openIssuer(dir);
  const secure = { port: 0, ...files };
  const node = await NodeProcess.launch(scope, {
    wrapper: lab.inService,
    config: (dataDir) => {
      cpSync(join(dir, 'keys-of-node'), dataDir, { recursive: true });
      return testConfig(dataDir, { access: { tls: secure, wss: secure, quic: secure } });
    },
  });
  const addresses = node.addresses as unknown as Partial<Record<Protocol, string>>;
  const offered = PORTS.filter(([protocol]) => addresses[protocol] !== undefined);
  await startRelay(lab, offered, addresses);

  const accessPoints = Object.fromEntries(
    offered.map(([protocol, port]) => [
      protocol,
      lab.serviceAddresses.map((host) =>
        /^ws/.test(protocol) ? `${protocol}://${host}:${port}/connect` : `${host}:${port}`,
      ),
    ]),
  );
  const protocols = offered.map(([protocol]) => protocol);
  console.log(
    `${clients} clients a figure (median), ${delayMs} ms each way, ${connectTimeoutMs} ms for each candidate`,
  );
  console.log(`offered: ${protocols.join(', ')}\n`);
  console.log('| Network | One at a time | Racing | Next time | Won by |\n|---|---|---|---|---|');
  for (const profile of PROFILES) {
    lab.apply(profile);
    const run = async (racing: boolean): Promise<Measured[]> => {
      const tokens = await Promise.all(
        Array.from({ length: clients }, (_, i) => issuer(`${profile.name}-${racing}-${i}`.replaceAll(/[^\w-]/g, '-'))),
      );
      return runClients(lab, { racing, connectTimeoutMs, caFile: files.certFile, tokens, accessPoints, protocols });
    };
    const alone = await run(false);
    const raced = await run(true);
    const won = raced.map(({ protocol, why }) => `${protocol} (${why})`);
    const first = (all: Measured[]) => medianOf(all.map(({ firstMs }) => firstMs));
    const nexts = raced.flatMap(({ next }) => next ?? []);
    const next = `${medianOf(nexts.map(({ ms }) => ms))} (${mostOf(nexts.map(({ why }) => why))})`;
    console.log(`| ${profile.name} | ${first(alone)} | ${first(raced)} | ${next} | ${mostOf(won)} |`);
  }
}

/** For both addresses, signed by itself. */
function createCertificate(dir: string, addresses: readonly string[]): { certFile: string; keyFile: string } {
  const files = { certFile: join(dir, 'service.crt'), keyFile: join(dir, 'service.key') };
  const names = `subjectAltName=${addresses.map((address) => `IP:${address}`).join()}`;
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', files.keyFile];
  const subject = ['-subj', '/CN=trunkline', '-addext', names, '-days', '2', '-out', files.certFile];
  execFileSync('openssl', ['req', '-x509', ...key, ...subject], { stdio: 'pipe' });
  return files;
}

/** Tokens that the node accepts without being asked: its keys are made here. */
async function openIssuer(dir: string): Promise<(deviceId: string) => Promise<string>> {
  const keysDir = join(dir, 'keys-of-node');
  mkdirSync(keysDir, { mode: 0o700 });
  await DeviceSecrets.open(keysDir);
  const issuer = new TokenIssuer({ keys: await SigningKeys.open(keysDir) });
  return async (deviceId) => {
    const grants = { app: 'demo', deviceId, uid: undefined, businesses: ['im'], groups: {}, ttlMs: TOKEN_TTL_MS };
    return (await issuer.issue(grants)).token;
  };
}

async function startRelay(
  lab: Lab,
  offered: typeof PORTS,
  addresses: Partial<Record<Protocol, string>>,
): Promise<void> {
  const routes = offered.flatMap(([protocol, port]) =>
    lab.serviceAddresses.map((host) => {
      const to = Number(addresses[protocol]?.split(':').at(-1));
      return { host, port, to, isUdp: protocol === 'quic' };
    }),
  );
  const options: RelayOptions = { delayMs, routes };
  const [program, ...args] = [...lab.inService, process.execPath, 'dist/scripts/profiles/relay.js'] as [
    string,
    ...string[],
  ];
  const relay = spawn(program, [...args, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  scope.teardown(() => relay.kill());
  await once(relay.stdout, 'data');
}

async function runClients(lab: Lab, options: ClientsOptions): Promise<Measured[]> {
  const [program, ...args] = [...lab.inClients, process.execPath, 'dist/scripts/profiles/clients.js'] as [
    string,
    ...string[],
  ];
  const { stdout } = await promisify(execFile)(program, [...args, JSON.stringify(options)]);
  return JSON.parse(stdout) as Measured[];
}

function medianOf(figures: readonly number[]): string {
  const sorted = [...figures].sort((a, b) => a - b);
  return `${Math.round(sorted[Math.floor(sorted.length / 2)] as number)} ms`;
}

function mostOf(words: readonly string[]): string {
  const countOf = (word: string) => words.filter((other) => other === word).length;
  return [...new Set(words)].sort((a, b) => countOf(b) - countOf(a))[0] ?? '';
}

try {
  await main();
} finally {
  for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) await cleanup();
}

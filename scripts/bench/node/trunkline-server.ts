/**
 * The node that is measured: the real program, `trunkline start` with a configuration file, as a process of its own
 * on the server's core. Its signing key is made here before it starts, so that the benchmark can issue device
 * tokens by the thousand without asking the control layer for each.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../../config/index.js';
import { encodeFrame, FrameType, PROTOCOL_VERSION } from '../../../protocol/index.js';
import { SigningKeys, TokenIssuer } from '../../../tokens/index.js';
import type { Protocol } from '../load/fleet.js';
import { BenchProcess, removeAtExit } from '../measure/child-process.js';
import { createCertificateChain } from './certificate.js';

export const APP = 'bench';
export const BUSINESS = 'bench';
export const BUSINESS_ID = 1;

const MAIN = `${import.meta.dirname}/../../../cli/main.js`;
const TOKEN_TTL_MS = 24 * 3_600_000;

export interface TrunklineOptions {
  /** Access worker threads. Default 1, as the server has one core. */
  readonly workers?: number;
  /** Back-end of the business. */
  readonly upstream?: NonNullable<ConfigInput['businesses'][string]['upstream']> | undefined;
  /** Connection events to the back-end. */
  readonly events?: ConfigInput['businesses'][string]['events'];
  /** Listens with TLS as well. */
  readonly secure?: boolean;
  /** Listens with QUIC as well, on a worker of its own; `secure` must be set. */
  readonly quic?: boolean;
  /** One of several nodes. */
  readonly member?: {
    readonly name: string;
    readonly engine: NonNullable<ConfigInput['engine']>;
    /** Data directory of the node whose signing keys it shares; keys of its own when absent. */
    readonly keysOf: string | undefined;
  };
  /** The node's threads write CPU profiles here when it stops. */
  readonly cpuProfDir?: string | undefined;
}

export interface TrunklineServer {
  readonly pid: number;
  readonly process: BenchProcess;
  /** A directory of its own, removed at the end. */
  readonly dataDir: string;
  port(protocol: Protocol | 'quic'): number;
  /** PEM, to be trusted by clients. */
  readonly ca: string;
  /** CONNECT frames of devices `device-<first>` and on, with fresh tokens. */
  logins(count: number, first?: number): Promise<Uint8Array[]>;
  /** The private listener and the business's key. */
  readonly bridge: { readonly port: number; readonly key: string };
  stop(): Promise<void>;
}

export async function startTrunkline(options: TrunklineOptions = {}): Promise<TrunklineServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
  removeAtExit(dataDir);
  if (options.member?.keysOf !== undefined) {
    await cp(join(options.member.keysOf, 'keys'), join(dataDir, 'keys'), { recursive: true });
  }
  const keys = await SigningKeys.open(dataDir);
  const issuer = new TokenIssuer({ keys });
  const businessKey = randomBytes(24).toString('base64url');
  const file = join(dataDir, 'trunkline.yaml');
  await writeFile(file, stringify(configuration(dataDir, businessKey, options)), { mode: 0o600 });

  const process = new BenchProcess(MAIN, ['start', '--json', '--config', file], {
    side: 'server',
    nodeOptions: options.cpuProfDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.cpuProfDir}`],
  });
  const { addresses } = await process.message<{ addresses: Addresses }>('addresses');
  return {
    pid: process.pid,
    process,
    dataDir,
    ca: options.secure === true ? readFileSync(join(dataDir, 'ca.crt'), 'utf8') : '',
    port: (protocol) => portOf(addresses[protocol]),
    logins: (count, first = 0) => issueLogins(issuer, count, first),
    bridge: { port: portOf(addresses.services.BridgeActor), key: businessKey },
    stop: () => process.stop(),
  };
}

export function deviceId(index: number): string {
  return `device-${index}`;
}

function secureListeners(dataDir: string, { secure = false, quic = false }: TrunklineOptions): ConfigInput['access'] {
  if (!secure) return {};
  const files = createCertificateChain(dataDir);
  const listener = { port: 0, ...files };
  return { tls: listener, wss: listener, ...(quic ? { quic: { ...listener, memoryMiB: 8_192 } } : {}) };
}

interface Addresses extends Readonly<Partial<Record<Protocol | 'quic', string>>> {
  readonly services: { readonly BridgeActor: string };
}

function portOf(address = ''): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

function configuration(dataDir: string, businessKey: string, options: TrunklineOptions): ConfigInput {
  return {
    node: {
      name: options.member?.name ?? 'bench',
      dataDir,
      workers: options.workers ?? 1,
      logLevel: 'warn',
      drainMs: 3_000,
    },
    ...(options.member === undefined ? {} : { engine: options.member.engine }),
    access: { tcp: { port: 0 }, ws: { port: 0 }, ...secureListeners(dataDir, options) },
    public: { port: 0 },
    private: { port: 0 },
    // A handshake that is measured alone is no login, and thousands of them take their time.
    limits: { handshakeMs: 120_000 },
    apps: { [APP]: { keys: [randomBytes(24).toString('base64url')] } },
    businesses: {
      [BUSINESS]: {
        id: BUSINESS_ID,
        apps: [APP],
        keys: [businessKey],
        groups: { createOnJoin: true, open: ['*'] },
        ...(options.upstream === undefined ? {} : { upstream: options.upstream }),
        ...(options.events === undefined ? {} : { events: options.events }),
      },
    },
  };
}

async function issueLogins(issuer: TokenIssuer, count: number, first: number): Promise<Uint8Array[]> {
  const logins: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const { token } = await issuer.issue({
      app: APP,
      deviceId: deviceId(first + i),
      businesses: [BUSINESS],
      groups: {},
      ttlMs: TOKEN_TTL_MS,
    });
    logins.push(
      encodeFrame({
        type: FrameType.connect,
        minVersion: PROTOCOL_VERSION,
        maxVersion: PROTOCOL_VERSION,
        token,
        attributes: { platform: 'bench', 'app-version': '1.0.0', 'sdk-version': '1.0.0', network: 'loopback' },
      }),
    );
  }
  return logins;
}

/** The n-th login, for `FleetOptions.login`. */
export function loginFrom(logins: readonly Uint8Array[]): (index: number) => Uint8Array {
  return (index) => logins[index] as Uint8Array;
}

/**
 * Who the device is: a token that somebody handed over with an access point, or a bootstrap at the public listener, with
 * an identity that a file keeps from one run to the next.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  BootstrapError,
  type Connectors,
  type DeviceIdentity,
  type IdentityStorage,
  type NodeClientOptions,
  nodeTransports,
  type Protocol,
} from '../../sdk/node.js';
import { fromEnvironment, Variable } from '../environment.js';
import { UsageError } from '../errors.js';
import { readSecretFile } from '../key-source.js';
import { checkHttpUrl } from '../refusals.js';

export interface CredentialArguments {
  app: string | undefined;
  publicUrl: string;
  identity: string | undefined;
  assertionFile: string | undefined;
  token: string | undefined;
  tokenFile: string | undefined;
  access: string[] | undefined;
  /** PEM file with the authorities to trust, instead of the platform's. */
  ca: string | undefined;
  /** Those that may be used; undefined for all. */
  protocol: Protocol[] | undefined;
}

/** A token is used until the service says otherwise; when it ends is the node's to know. */
const TOKEN_LIFE_MS = 24 * 3_600_000;

/** @throws {UsageError} naming the flag */
export function clientOptions(args: CredentialArguments): NodeClientOptions {
  const token = givenToken(args);
  const all = nodeTransports(args.ca === undefined ? undefined : readAuthorities(args.ca));
  const transports = args.protocol === undefined ? all : transportsOf(all, args.protocol);
  if (token !== undefined) return { ...withToken(token, args.access ?? [], args.protocol ?? []), transports };
  const { app, publicUrl, identity, assertionFile } = args;
  if (app === undefined) {
    throw new UsageError(`say who: --app APP (or ${Variable.app}) to bootstrap, or --token-file FILE with --access`);
  }
  if (args.access !== undefined) throw new UsageError('--access goes with a token: the bootstrap names access points');
  checkHttpUrl('--public-url', publicUrl);
  return {
    bootstrapUrl: publicUrl,
    app,
    transports,
    ...(identity === undefined ? {} : { storage: fileStorage(identity) }),
    ...(assertionFile === undefined
      ? {}
      : { assertion: async () => readSecretFile('--assertion-file', assertionFile) }),
  };
}

/** An app on the command line asks for a bootstrap, whatever token the environment holds. */
function givenToken({ token, tokenFile, app }: CredentialArguments): string | undefined {
  if (tokenFile !== undefined) return readSecretFile('--token-file', tokenFile);
  return token ?? (app === undefined ? fromEnvironment(Variable.token) : undefined);
}

/** @throws {UsageError} it cannot be read, or holds no certificate */
function readAuthorities(path: string): string {
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--ca: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    new X509Certificate(pem);
  } catch {
    throw new UsageError(`--ca: ${path} holds no certificate in PEM`);
  }
  return pem;
}

function transportsOf(all: Connectors, protocols: readonly Protocol[]): Connectors {
  return Object.fromEntries(protocols.map((protocol) => [protocol, all[protocol]]));
}

/** An address without a scheme is TCP's, or that of the protocol asked for. */
function withToken(token: string, access: readonly string[], protocols: readonly Protocol[]): NodeClientOptions {
  if (access.length === 0) {
    throw new UsageError('a token needs --access, such as 127.0.0.1:7100 or ws://127.0.0.1:7101/connect');
  }
  const ws = access.filter((address) => /^wss?:\/\//.test(address));
  const tcp = access.filter((address) => /^[^/]+:\d{1,5}$/.test(address));
  if (ws.length + tcp.length < access.length) {
    throw new UsageError('--access: write host:port for TCP, or ws://host:port/connect');
  }
  const stream = protocols.find((protocol) => !protocol.startsWith('ws')) ?? 'tcp';
  const webSocket = protocols.find((protocol) => protocol.startsWith('ws')) ?? 'ws';
  const accessPoints = { ...(tcp.length > 0 ? { [stream]: tcp } : {}), ...(ws.length > 0 ? { [webSocket]: ws } : {}) };
  let wasUsed = false;
  return {
    credentials: async () => {
      // The same again would be refused again, for ever.
      if (wasUsed) throw new BootstrapError('the token is not accepted any more');
      wasUsed = true;
      return { token, expiresAtMs: Date.now() + TOKEN_LIFE_MS, accessPoints };
    },
  };
}

/** @param path holds the device's secret: made with mode 0600 */
function fileStorage(path: string): IdentityStorage {
  return {
    get: () => readIdentity(path),
    set(identity) {
      if (identity === undefined) rmSync(path, { force: true });
      else writeFileSync(path, `${JSON.stringify(identity)}\n`, { mode: 0o600 });
    },
  };
}

function readIdentity(path: string): DeviceIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError(`--identity: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    const { deviceId, deviceSecret } = JSON.parse(text);
    if (typeof deviceId === 'string' && typeof deviceSecret === 'string') return { deviceId, deviceSecret };
  } catch {
    // Not JSON: as good as anything else that is no identity.
  }
  throw new UsageError(`--identity: ${path} holds no device identity; remove it for a new one`);
}

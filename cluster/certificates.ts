/**
 * Certificates of the `quic`, `tls` and `wss` listeners: read from their files, read again when those change, and with the keys
 * of the session tickets, which all threads of a node must share and which are renewed now and then. Files are looked at
 * by their times every few seconds, because a watch on a file misses the rename by which certificates are renewed.
 */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ActorRef } from '../actors/index.js';
import type { NodeConfig } from '../config/index.js';
import { TrunklineError } from '../protocol/index.js';
import { SecretExposedError } from '../tokens/index.js';
import { SECURE_PROTOCOLS, type SecureMaterial, type SecureProtocol } from '../transports/index.js';
import type { Logger } from './logger.js';
import { within } from './within.js';

const LOOK_EVERY_MS = 5_000;
/** Tickets are good for two hours; each key makes the sessions of half a day resumable. */
const TICKET_KEYS_MS = 12 * 3_600_000;
const TICKET_KEY_BYTES = 48;
/** One that hangs finds the message when it wakes. */
const TELL_MS = 5_000;

/** Everybody but the owner and the group, which may be the one of all services that use the certificate. */
const WORLD_ACCESS = 0o007;
const KEY_MODE = 0o600;

/** A certificate or its key cannot be used. */
export class InvalidCertificateError extends TrunklineError {
  readonly code = 'TRK_INVALID_CERTIFICATE';
  constructor(
    readonly path: string,
    problem: string,
    cause?: unknown,
  ) {
    super(`${path}: ${problem}`, { cause });
  }
}

/** By listener; plain data, since it crosses threads. */
export type SecureMaterials = Readonly<Partial<Record<SecureProtocol, SecureMaterial>>>;

export interface CertificatesOptions {
  readonly access: Partial<Pick<NodeConfig['access'], SecureProtocol>>;
  readonly log: Logger;
  /** Default 5 s. */
  readonly lookEveryMs?: number;
  /** Life of the ticket keys. Default 12 h. */
  readonly ticketKeysMs?: number;
}

interface Held {
  readonly protocol: SecureProtocol;
  readonly certFile: string;
  readonly keyFile: string;
  /** Of both files, as they were last read. */
  stamp: string;
  /** The last stamp whose files could not be used, or why they could not be looked at. */
  failure: string;
  material: SecureMaterial;
}

export class Certificates {
  readonly #options: CertificatesOptions;
  readonly #held: Held[] = [];
  readonly #workers = new Map<number, ActorRef>();
  #ticketKeys = randomBytes(TICKET_KEY_BYTES);
  #timers: NodeJS.Timeout[] = [];
  #looking: Promise<void> = Promise.resolve();

  private constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  /**
   * @throws {InvalidCertificateError} a file is not there, or not what it must be
   * @throws {SecretExposedError} a private key is open to every user of the machine
   */
  static async open(options: CertificatesOptions): Promise<Certificates> {
    const certificates = new Certificates(options);
    for (const protocol of SECURE_PROTOCOLS) {
      const listener = options.access[protocol];
      if (listener === null || listener === undefined) continue;
      const { certFile, keyFile } = listener;
      const stamp = await stampOf(certFile, keyFile);
      const material = await certificates.#read(certFile, keyFile);
      certificates.#held.push({ protocol, certFile, keyFile, stamp, failure: '', material });
    }
    return certificates;
  }

  /** In use now. */
  get materials(): SecureMaterials {
    return Object.fromEntries(this.#held.map(({ protocol, material }) => [protocol, material]));
  }

  /** The worker is told of every renewal from now on. @returns what it starts with */
  attach(worker: number, ref: ActorRef): { secure: SecureMaterials } {
    this.#workers.set(worker, ref);
    return { secure: this.materials };
  }

  detach(worker: number): void {
    this.#workers.delete(worker);
  }

  start(): void {
    if (this.#held.length === 0) return;
    const { lookEveryMs = LOOK_EVERY_MS, ticketKeysMs = TICKET_KEYS_MS } = this.#options;
    this.#timers = [
      setInterval(() => void this.renew(), lookEveryMs).unref(),
      setInterval(() => this.#renewTicketKeys(), ticketKeysMs).unref(),
    ];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Reads what has changed; resolves when it is in use. What cannot be used is logged, and the former stays in use. */
  renew(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      for (const held of this.#held) await this.#renewOne(held);
    });
    return this.#looking;
  }

  async #renewOne(held: Held): Promise<void> {
    const { protocol, certFile, keyFile } = held;
    const { log } = this.#options;
    let stamp = '';
    try {
      stamp = await stampOf(certFile, keyFile);
      if (stamp === held.stamp) return;
      held.material = await this.#read(certFile, keyFile);
      held.stamp = stamp;
      held.failure = '';
      await this.#distribute(held);
      log.info('certificate renewed', { listener: protocol, validTo: new X509Certificate(held.material.cert).validTo });
    } catch (error) {
      // Half of a change, perhaps: the other file follows. Said once, looked at again all the same.
      const failure = stamp === '' ? String(error) : stamp;
      if (held.failure === failure) return;
      held.failure = failure;
      log.error('certificate cannot be used, the former stays', { listener: protocol, error: String(error) });
    }
  }

  #renewTicketKeys(): void {
    this.#ticketKeys = randomBytes(TICKET_KEY_BYTES);
    for (const held of this.#held) {
      held.material = { ...held.material, ticketKeys: this.#ticketKeys };
      void this.#distribute(held);
    }
  }

  async #distribute({ protocol, material }: Held): Promise<void> {
    const { log } = this.#options;
    const tell = async (ref: ActorRef): Promise<void> => {
      try {
        await within(TELL_MS, ref.sendAndReceive('renewSecure', { protocol, material }));
      } catch (error) {
        log.warn('access worker did not take the certificate', { listener: protocol, error: String(error) });
      }
    };
    await Promise.all([...this.#workers.values()].map(tell));
  }

  async #read(certFile: string, keyFile: string): Promise<SecureMaterial> {
    const mode = (await statOf(keyFile)).mode & 0o777;
    if ((mode & WORLD_ACCESS) !== 0) throw new SecretExposedError(keyFile, mode, KEY_MODE);
    const cert = await readText(certFile);
    const key = await readText(keyFile);
    const certificate = judge(certFile, 'holds no certificate in PEM form', () => new X509Certificate(cert));
    const privateKey = judge(keyFile, 'holds no private key in PEM form', () => createPrivateKey(key));
    if (!certificate.checkPrivateKey(privateKey)) {
      throw new InvalidCertificateError(keyFile, `is not the key of the first certificate in ${certFile}`);
    }
    // The rest of the chain is judged here, and keys that OpenSSL finds too weak.
    judge(certFile, 'cannot be used for TLS', () => createSecureContext({ cert, key }));
    return { cert, key, ticketKeys: this.#ticketKeys };
  }
}

async function stampOf(...files: string[]): Promise<string> {
  const infos = await Promise.all(files.map(statOf));
  return infos.map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join(', ');
}

function statOf(path: string) {
  return stat(path).catch((error) => Promise.reject(unreadable(path, error)));
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error) => Promise.reject(unreadable(path, error)));
}

function unreadable(path: string, error: NodeJS.ErrnoException): InvalidCertificateError {
  return new InvalidCertificateError(path, `cannot be read (${error.code ?? 'unknown'})`, error);
}

function judge<T>(path: string, problem: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new InvalidCertificateError(path, problem, cause);
  }
}

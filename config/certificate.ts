/**
 * The files of a TLS listener, judged before anything listens: there, parsable, belonging to each other, and the key
 * closed to other users of the machine. Otherwise a reload or a restart at night would find out.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { SettingPath } from './paths.js';
import type { SecureListenerConfig } from './schema.js';
import { WORLD_ACCESS } from './secrets.js';

type Report = (path: SettingPath, message: string) => void;

/** @param path of the listener; problems are reported at its `certFile` and `keyFile` */
export function checkCertificate(
  path: SettingPath,
  listener: Pick<SecureListenerConfig, 'certFile' | 'keyFile'>,
  report: Report,
): void {
  const certificate = read([...path, 'certFile'], listener.certFile, parseCertificate, report);
  const keyPath = [...path, 'keyFile'];
  const key = read(keyPath, listener.keyFile, parseKey, report);
  if (key !== undefined && isOpen(listener.keyFile)) {
    report(
      keyPath,
      `the file ${listener.keyFile} is open to every user of this machine; run: chmod 600 ${listener.keyFile}`,
    );
  }
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    report(keyPath, 'is not the private key of the first certificate in certFile');
  }
}

function read<T>(
  path: SettingPath,
  file: string,
  parse: (pem: Buffer) => T | string,
  report: Report,
): Exclude<T, string> | undefined {
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    report(path, `the file ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
    return undefined;
  }
  const parsed = parse(pem);
  if (typeof parsed !== 'string') return parsed as Exclude<T, string>;
  report(path, `the file ${file} ${parsed}`);
  return undefined;
}

function parseCertificate(pem: Buffer): X509Certificate | string {
  try {
    return new X509Certificate(pem);
  } catch {
    return 'holds no certificate in PEM form';
  }
}

function parseKey(pem: Buffer): KeyObject | string {
  try {
    return createPrivateKey(pem);
  } catch {
    return 'holds no private key in PEM form without a passphrase';
  }
}

function isOpen(file: string): boolean {
  return (statSync(file).mode & WORLD_ACCESS) !== 0;
}

/** Certificates of the tests' own, signed by themselves, made with the system's OpenSSL. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecureMaterial } from '../../transports/index.js';

export interface CertificateFiles {
  readonly certFile: string;
  /** Mode 0600. */
  readonly keyFile: string;
}

const LOOPBACK = ['127.0.0.1', '::1'];

/** @param name of the files in `dir`, and of the certificate's subject; @param addresses that it is for as well */
export function createCertificate(dir: string, name = 'localhost', addresses = LOOPBACK): CertificateFiles {
  const certFile = join(dir, `${name}.crt`);
  const keyFile = join(dir, `${name}.key`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const names = [`DNS:${name}`, ...addresses.map((address) => `IP:${address}`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names.join()}`];
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-days', '2', '-out', certFile], { stdio: 'pipe' });
  return { certFile, keyFile };
}

let shared: SecureMaterial | undefined;

/** The same certificate, for `localhost` and 127.0.0.1, for all tests of a process that need no other. */
export function testSecureMaterial(): SecureMaterial {
  shared ??= createSecureMaterial();
  return shared;
}

export function createSecureMaterial(name?: string, addresses?: string[]): SecureMaterial {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
  try {
    const { certFile, keyFile } = createCertificate(dir, name, addresses);
    return {
      cert: readFileSync(certFile, 'utf8'),
      key: readFileSync(keyFile, 'utf8'),
      ticketKeys: randomBytes(48),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

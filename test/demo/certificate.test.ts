import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import test from 'ava';
import { createCertificate } from '../../demo/certificate.js';

test('demo certificate: for this machine only, soon over, its key for its owner only', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { ca, certFile, keyFile } = await createCertificate(dir);
  const certificate = new X509Certificate(ca);

  t.is(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  t.is(certificate.checkHost('localhost'), 'localhost');
  t.is(certificate.checkHost('example.com'), undefined);
  t.true(certificate.verify(certificate.publicKey), 'signed by itself');
  const days = (certificate.validToDate.getTime() - Date.now()) / 86_400_000;
  t.true(days > 1 && days < 8);

  t.is(statSync(keyFile).mode & 0o777, 0o600);
  t.notThrows(() => createSecureContext({ cert: readFileSync(certFile), key: readFileSync(keyFile) }));
  const other = await createCertificate(dir);
  t.not(other.ca, ca, 'another at each start');
});

import { chmodSync, copyFileSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ActorRef } from '../../actors/index.js';
import { Certificates } from '../../cluster/certificates.js';
import type { SecureListenerConfig } from '../../config/index.js';
import { type CertificateFiles, createCertificate } from '../support/certificate.js';
import { captureLog } from '../support/log-capture.js';
import { until } from '../support/until.js';

function folder(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const listener = (files: CertificateFiles) => ({ host: '127.0.0.1', port: 0, ...files }) as SecureListenerConfig;

async function opened(t: ExecutionContext, options: { ticketKeysMs?: number } = {}) {
  const dir = folder(t);
  const files = createCertificate(dir);
  const logs = captureLog();
  const told: { protocol: string; material: { cert: string; ticketKeys: Uint8Array } }[] = [];
  const certificates = await Certificates.open({
    access: { tls: listener(files), wss: null },
    log: logs.log,
    ...options,
  });
  const ref = {
    sendAndReceive: (topic: string, message: (typeof told)[number]) => {
      t.is(topic, 'renewSecure');
      told.push(message);
      return Promise.resolve();
    },
  } as unknown as ActorRef;
  const { secure } = certificates.attach(0, ref);
  /** Puts another certificate in place, with other times, as a renewal does. */
  const replace = (fresh: CertificateFiles, which: readonly (keyof CertificateFiles)[] = ['certFile', 'keyFile']) => {
    for (const name of which) {
      copyFileSync(fresh[name], files[name]);
      utimesSync(files[name], new Date(), new Date(Date.now() + 60_000 * (told.length + 1)));
    }
    chmodSync(files.keyFile, 0o600);
  };
  return { dir, files, logs, told, certificates, secure, replace };
}

test('certificates: are read at the start, and only what is configured', async (t) => {
  const { secure } = await opened(t);
  t.regex(secure.tls?.cert ?? '', /BEGIN CERTIFICATE/);
  t.regex(secure.tls?.key ?? '', /PRIVATE KEY/);
  t.is(secure.tls?.ticketKeys.length, 48);
  t.is(secure.wss, undefined);
});

test('certificates: files that did not change are not read again', async (t) => {
  const { certificates, told } = await opened(t);
  await certificates.renew();
  t.is(told.length, 0);
});

test('certificates: a changed pair is given to the workers, once', async (t) => {
  const { certificates, told, replace, secure, dir, logs } = await opened(t);
  replace(createCertificate(dir, 'fresh'));
  await certificates.renew();
  await certificates.renew();
  t.is(told.length, 1);
  t.not(told[0]?.material.cert, secure.tls?.cert);
  t.is(certificates.materials.tls?.cert, told[0]?.material.cert);
  t.deepEqual(told[0]?.material.ticketKeys, secure.tls?.ticketKeys);
  t.is(logs.entries.filter(({ message }) => message === 'certificate renewed').length, 1);
});

test('certificates: half a change keeps the former until the other half is there, and is said once', async (t) => {
  const { certificates, told, replace, secure, dir, logs } = await opened(t);
  const fresh = createCertificate(dir, 'fresh');
  replace(fresh, ['certFile']);
  await certificates.renew();
  await certificates.renew();
  t.is(told.length, 0);
  t.is(certificates.materials.tls?.cert, secure.tls?.cert);
  const failures = () =>
    logs.entries.filter(({ message }) => message === 'certificate cannot be used, the former stays');
  t.is(failures().length, 1);
  replace(fresh, ['keyFile']);
  await certificates.renew();
  t.is(told.length, 1);
});

test('certificates: a file that is gone keeps the former', async (t) => {
  const { certificates, files, told, logs } = await opened(t);
  rmSync(files.certFile);
  await certificates.renew();
  t.is(told.length, 0);
  t.is(logs.entries.length, 1);
});

test('certificates: a worker that is gone is told nothing more', async (t) => {
  const { certificates, told, replace, dir } = await opened(t);
  certificates.detach(0);
  replace(createCertificate(dir, 'fresh'));
  await certificates.renew();
  t.is(told.length, 0);
});

test('certificates: the keys of session tickets are renewed by themselves', async (t) => {
  const { certificates, told, secure } = await opened(t, { ticketKeysMs: 20 });
  certificates.start();
  await until(() => told.length > 0);
  certificates.stop();
  t.notDeepEqual(told[0]?.material.ticketKeys, secure.tls?.ticketKeys);
  t.is(told[0]?.material.cert, secure.tls?.cert);
});

const BAD: Readonly<
  Record<string, { spoil: (files: CertificateFiles, dir: string) => void; code: string; message: RegExp }>
> = {
  'a key that everybody may read': {
    spoil: ({ keyFile }) => chmodSync(keyFile, 0o644),
    code: 'TRK_SECRET_EXPOSED',
    message: /chmod 0600/,
  },
  'a certificate that is not there': {
    spoil: ({ certFile }) => rmSync(certFile),
    code: 'TRK_INVALID_CERTIFICATE',
    message: /cannot be read \(ENOENT\)/,
  },
  'a certificate that is none': {
    spoil: ({ certFile }) => writeFileSync(certFile, 'nothing of the kind'),
    code: 'TRK_INVALID_CERTIFICATE',
    message: /holds no certificate/,
  },
  'a key that is none': {
    spoil: ({ keyFile }) => writeFileSync(keyFile, 'nothing of the kind'),
    code: 'TRK_INVALID_CERTIFICATE',
    message: /holds no private key/,
  },
  "another certificate's key": {
    spoil: ({ keyFile }, dir) => copyFileSync(createCertificate(dir, 'other').keyFile, keyFile),
    code: 'TRK_INVALID_CERTIFICATE',
    message: /is not the key of the first certificate/,
  },
};

for (const [what, { spoil, code, message }] of Object.entries(BAD)) {
  test(`certificates: ${what} is refused at the start`, async (t) => {
    const dir = folder(t);
    const files = createCertificate(dir);
    spoil(files, dir);
    const access = { tls: null, wss: listener(files) };
    await t.throwsAsync(Certificates.open({ access, log: captureLog().log }), { code, message });
  });
}

test('certificates: a key that its group may read is good', async (t) => {
  const files = createCertificate(folder(t));
  chmodSync(files.keyFile, 0o640);
  await t.notThrowsAsync(Certificates.open({ access: { tls: listener(files), wss: null }, log: captureLog().log }));
});

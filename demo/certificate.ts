/**
 * The demo's certificate: made at each start, signed by itself, for this machine's loopback only, so that every protocol
 * can be tried without an authority. Its key never leaves the demo's data directory and goes with it.
 *
 * @see docs/decisions/0092-the-demo-makes-its-certificate-with-pkijs.md
 */
import { KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'Trunkline demo';
/** Longer than a demo runs. */
const LIFE_MS = 7 * 24 * 3_600_000;
/** Clocks of one machine do not differ, but X.509 counts in seconds. */
const BACKDATED_MS = 60_000;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const HASH = 'SHA-256';
const SERIAL_BYTES = 16;

/** RFC 5280, sections 4.1.2.4, 4.2.1.6 and 4.2.1.12. */
const Oid = { commonName: '2.5.4.3', alternativeNames: '2.5.29.17', usages: '2.5.29.37', server: '1.3.6.1.5.5.7.3.1' };
/** Choices of a GeneralName. */
const NameType = { dns: 2, ip: 7 } as const;
const VERSION_3 = 2;

export interface DemoCertificate {
  /** PEM; whoever trusts it trusts the demo. */
  readonly certFile: string;
  /** PEM, mode 0600. */
  readonly keyFile: string;
  /** What is in `certFile`. */
  readonly ca: string;
}

/** @param dir where the two files are written; closed to other users */
export async function createCertificate(dir: string): Promise<DemoCertificate> {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const ca = new X509Certificate(await selfSigned(publicKey, privateKey)).toString();
  const key = KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' });
  const [certFile, keyFile] = [join(dir, 'demo.crt'), join(dir, 'demo.key')];
  writeFileSync(keyFile, key, { mode: 0o600 });
  writeFileSync(certFile, ca);
  return { certFile, keyFile, ca };
}

/** @returns the certificate in DER */
async function selfSigned(publicKey: CryptoKey, privateKey: CryptoKey): Promise<Uint8Array> {
  // Loaded here: every command of the CLI reads this file, and only the demo makes a certificate.
  const [{ Integer, ObjectIdentifier, OctetString, Sequence, Utf8String }, pki] = await Promise.all([
    import('asn1js'),
    import('pkijs'),
  ]);
  const certificate = new pki.Certificate();
  certificate.version = VERSION_3;
  certificate.serialNumber = new Integer({ valueHex: serialNumber() });
  for (const { typesAndValues } of [certificate.issuer, certificate.subject]) {
    const value = new Utf8String({ value: NAME });
    typesAndValues.push(new pki.AttributeTypeAndValue({ type: Oid.commonName, value }));
  }
  certificate.notBefore.value = new Date(Date.now() - BACKDATED_MS);
  certificate.notAfter.value = new Date(Date.now() + LIFE_MS);
  const names = new pki.GeneralNames({
    names: [
      new pki.GeneralName({ type: NameType.dns, value: 'localhost' }),
      new pki.GeneralName({
        type: NameType.ip,
        value: new OctetString({ valueHex: Uint8Array.of(127, 0, 0, 1).buffer }),
      }),
    ],
  });
  const usages = new Sequence({ value: [new ObjectIdentifier({ value: Oid.server })] });
  certificate.extensions = [
    new pki.Extension({ extnID: Oid.alternativeNames, extnValue: names.toSchema().toBER() }),
    new pki.Extension({ extnID: Oid.usages, extnValue: usages.toBER() }),
  ];
  await certificate.subjectPublicKeyInfo.importKey(publicKey);
  await certificate.sign(privateKey, HASH);
  return new Uint8Array(certificate.toSchema().toBER());
}

/** Positive and without a leading zero, as DER wants integers. */
function serialNumber(): ArrayBuffer {
  const bytes = new Uint8Array(randomBytes(SERIAL_BYTES));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.buffer;
}

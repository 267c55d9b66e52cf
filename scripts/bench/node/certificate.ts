/**
 * A certificate as a public authority would issue it: an elliptic key, signed by an intermediate one that is sent along,
 * because the length of the chain is part of what a handshake and a connection cost.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * @param dir where the files go; removed by its owner
 * @param address where the server listens
 */
export function createCertificateChain(dir: string, address = '127.0.0.1'): CertificateFiles {
  const at = (name: string) => join(dir, name);
  const authority = ['-x509', '-subj', '/O=Benchmark/CN=Intermediate', '-keyout', at('ca.key'), '-out', at('ca.crt')];
  openssl('req', ...authority, ...NEW_KEY, '-days', '2');
  openssl('req', '-subj', '/CN=localhost', '-keyout', at('node.key'), '-out', at('node.csr'), ...NEW_KEY);
  writeFileSync(at('node.ext'), extensions(address));
  const signed = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('node.ext')];
  openssl('x509', '-req', '-in', at('node.csr'), ...signed, '-days', '2', '-out', at('node.crt'));
  writeFileSync(at('chain.crt'), readFileSync(at('node.crt'), 'utf8') + readFileSync(at('ca.crt'), 'utf8'));
  return { certFile: at('chain.crt'), keyFile: at('node.key') };
}

/** What certificates of the Internet carry, which makes them twice as long. */
const extensions = (address: string) => `basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, DNS:link.example.com, DNS:www.link.example.com, IP:${address}
authorityInfoAccess = OCSP;URI:http://ocsp.example.com, caIssuers;URI:http://certificates.example.com/ca.crt
crlDistributionPoints = URI:http://crl.example.com/ca.crl
certificatePolicies = 2.23.140.1.2.1
`;

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

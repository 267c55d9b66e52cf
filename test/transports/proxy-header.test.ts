import test from 'ava';
import { MAX_PROXY_HEADER_BYTES, ProxyHeaderError, parseProxyHeader } from '../../transports/proxy-header.js';

/** Signature of version 2. */
const V2 = '0d0a0d0a000d0a515549540a';
/** 192.0.2.7:40000 to 198.51.100.1:443. */
const IPV4 = 'c0000207' + 'c6336401' + '9c40' + '01bb';
/** 2001:db8::7 to 2001:db8::1. */
const IPV6 = `20010db8${'00'.repeat(11)}0720010db8${'00'.repeat(11)}019c4001bb`;

const v2 = (head: string, body: string) =>
  Buffer.from(`${V2}${head}${(body.length / 2).toString(16).padStart(4, '0')}${body}`, 'hex');

interface Good {
  readonly bytes: Buffer;
  readonly source?: string;
}

const GOOD: Readonly<Record<string, Good>> = {
  'v1 TCP4': { bytes: Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n'), source: '192.0.2.7' },
  'v1 TCP6': { bytes: Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 40000 443\r\n'), source: '2001:db8::7' },
  'v1 UNKNOWN': { bytes: Buffer.from('PROXY UNKNOWN\r\n') },
  'v1 UNKNOWN with words behind it': { bytes: Buffer.from('PROXY UNKNOWN ffff:f...f:ffff any thing 65535\r\n') },
  'v1, the longest line': {
    bytes: Buffer.from(`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`),
  },
  'v2 IPv4': { bytes: v2('2111', IPV4), source: '192.0.2.7' },
  'v2 IPv6': { bytes: v2('2121', IPV6), source: '2001:db8:0:0:0:0:0:7' },
  'v2 with extensions': { bytes: v2('2111', `${IPV4}020003616263e00000`), source: '192.0.2.7' },
  'v2 LOCAL': { bytes: v2('2000', '') },
  'v2 LOCAL with an address, which is none': { bytes: v2('2011', IPV4) },
  'v2 UNSPEC': { bytes: v2('2100', '') },
  'v2 UNSPEC with extensions': { bytes: v2('2100', '020003616263') },
  'v2, the longest header': { bytes: v2('2111', IPV4 + '00'.repeat(MAX_PROXY_HEADER_BYTES - 28)), source: '192.0.2.7' },
};

for (const [what, { bytes, source }] of Object.entries(GOOD)) {
  test(`proxy header: ${what}`, (t) => {
    const header = source === undefined ? { bytes: bytes.length } : { bytes: bytes.length, source };
    t.deepEqual(parseProxyHeader(bytes), header);
    t.deepEqual(parseProxyHeader(Buffer.concat([bytes, Buffer.from('PROXY more')])), header);
    for (let length = 0; length < bytes.length; length++) {
      t.is(parseProxyHeader(bytes.subarray(0, length)), undefined, `${length} bytes of it`);
    }
  });
}

const BAD: Readonly<Record<string, Buffer>> = {
  'no header at all': Buffer.from('GET / HTTP/1.1\r\n'),
  'a TLS handshake': Buffer.from('16030100', 'hex'),
  'another word': Buffer.from('PROXIES'),
  'small letters': Buffer.from('proxy TCP4 192.0.2.7 198.51.100.1 40000 443\r\n'),
  'v1 without an end': Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`),
  'v1 that ends too late': Buffer.from(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`),
  'v1 of another family': Buffer.from('PROXY UDP4 192.0.2.7 198.51.100.1 40000 443\r\n'),
  'v1 with the wrong family': Buffer.from('PROXY TCP4 2001:db8::7 2001:db8::1 40000 443\r\n'),
  'v1 with half an address': Buffer.from('PROXY TCP4 192.0.2 198.51.100.1 40000 443\r\n'),
  'v1 with a zone': Buffer.from('PROXY TCP6 fe80::1%eth0 2001:db8::1 40000 443\r\n'),
  'v1 with a port too many': Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 40000 443 1\r\n'),
  'v1 with a port too few': Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n'),
  'v1 with a port too high': Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 40000 65536\r\n'),
  'v1 with two spaces': Buffer.from('PROXY TCP4  192.0.2.7 198.51.100.1 40000 443\r\n'),
  'v2 of version 3': v2('3111', IPV4),
  'v2 with an unknown command': v2('2211', IPV4),
  'v2 for UDP': v2('2112', IPV4),
  'v2 for a Unix socket': v2('2131', '00'.repeat(216)),
  'v2 with half an IPv4 address': v2('2111', IPV4.slice(0, 20)),
  'v2 with half an IPv6 address': v2('2121', IPV6.slice(0, 60)),
  'v2 that is too long': Buffer.from(`${V2}2111ffff`, 'hex'),
};

for (const [what, bytes] of Object.entries(BAD)) {
  test(`proxy header: ${what} is refused`, (t) => {
    t.throws(() => parseProxyHeader(bytes), { instanceOf: ProxyHeaderError, code: 'TRK_PROXY_HEADER' });
  });
}

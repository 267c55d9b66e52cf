import test from 'ava';
import { networkHash } from '../../cluster/address-hash.js';

const KEY = [0x03020100, 0x07060504] as const;

test('address hash: IPv4 addresses differ, in whatever form they come', (t) => {
  const hash = networkHash('192.0.2.7', KEY);
  t.is(networkHash('::ffff:192.0.2.7', KEY), hash);
  t.is(networkHash('::FFFF:192.0.2.7', KEY), hash);
  t.not(networkHash('192.0.2.8', KEY), hash);
  t.not(networkHash('7.2.0.192', KEY), hash);
});

test('address hash: IPv6 counts by /64', (t) => {
  const hash = networkHash('2001:db8:1:2::1', KEY);
  for (const address of ['2001:db8:1:2::2', '2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:0db8:0001:0002:0:0:0:9']) {
    t.is(networkHash(address, KEY), hash, address);
  }
  for (const address of ['2001:db8:1:3::1', '2001:db8:2:2::1', '2001:db8::1', '::1', '1::', '64:ff9b::192.0.2.7']) {
    t.not(networkHash(address, KEY), hash, address);
  }
  t.is(networkHash('fe80::1%eth0', KEY), networkHash('fe80::2', KEY));
  t.is(networkHash('::', KEY), networkHash('::1', KEY));
  t.is(networkHash('1:2:3:4:5:6:192.0.2.7', KEY), networkHash('1:2:3:4::', KEY));
});

test('address hash: is HalfSipHash-2-4', (t) => {
  // The reference vector for the message 00 01 02 03 04 05 06 07 with the key 00 to 07, the words read as little-endian.
  t.is(networkHash('302:100:706:504::', KEY) >>> 0, 0x8f84b8d0);
});

test('address hash: another key is another hash, and what is no address has one too', (t) => {
  t.not(networkHash('192.0.2.7', [1, 2]), networkHash('192.0.2.7', KEY));
  t.is(typeof networkHash('', KEY), 'number');
});

test('address hash: both halves are spread evenly', (t) => {
  const places = [new Set<number>(), new Set<number>()];
  for (let i = 0; i < 20_000; i++) {
    const hash = networkHash(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, KEY);
    places[0]?.add(hash & 0xffff);
    places[1]?.add(hash >>> 16);
  }
  // 65,536 places and 20,000 addresses leave about 17,200 different ones.
  for (const { size } of places) t.true(size > 16_900 && size < 17_500, String(size));
});

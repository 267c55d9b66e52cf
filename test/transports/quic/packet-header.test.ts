import test from 'ava';
import { readPacketHeader } from '../../../transports/quic/packet-header.js';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const INITIAL = 'c3 00000001 08 8394c8f03e515708 03 aabbcc 02 1122 4001 00';

test('packet header: an Initial shows its ids and its token', (t) => {
  const header = readPacketHeader(bytes(INITIAL));
  t.like(header, { form: 'long', version: 1, isInitial: true });
  if (header?.form !== 'long') return t.fail();
  t.is(header.dcid.toString('hex'), '8394c8f03e515708');
  t.is(header.scid.toString('hex'), 'aabbcc');
  t.is(header.token.toString('hex'), '1122');
});

test('packet header: an Initial cut short anywhere before its length is nothing', (t) => {
  const whole = bytes(INITIAL);
  for (let length = 0; length < 21; length++) t.is(readPacketHeader(whole.subarray(0, length)), undefined, `${length}`);
  t.truthy(readPacketHeader(whole.subarray(0, 21)));
});

test('packet header: a token longer than the datagram is nothing, whatever its length claims', (t) => {
  for (const token of ['3f', '7fff', 'bfffffff', 'ffffffffffffffff']) {
    t.is(readPacketHeader(bytes(`c3 00000001 00 00 ${token} 1122`)), undefined, token);
  }
});

test('packet header: ids longer than version 1 has are nothing in it, and readable in another version', (t) => {
  const ids = `15 ${'aa'.repeat(21)} 00`;
  t.is(readPacketHeader(bytes(`c3 00000001 ${ids} 00`)), undefined);
  t.like(readPacketHeader(bytes(`c3 0a1a2a3a ${ids} 00`)), { form: 'long', version: 0x0a1a2a3a, isInitial: false });
});

test('packet header: a short header names the id of the connection', (t) => {
  t.deepEqual(readPacketHeader(bytes(`40 ${'01'.repeat(12)} ff`)), { form: 'short', dcid: '\x01'.repeat(12) });
  t.is(readPacketHeader(bytes(`40 ${'01'.repeat(11)}`)), undefined);
  // Without the fixed bit it is no packet of QUIC.
  t.is(readPacketHeader(bytes(`00 ${'01'.repeat(12)} ff`)), undefined);
});

/**
 * Reads the PROXY protocol header from a fresh link, and puts back what came behind it. Only peers that are listed are
 * believed; a header from anybody else would let a stranger choose the address that limits and logs go by.
 */
import { BlockList, isIPv6, type Socket } from 'node:net';
import { MAX_PROXY_HEADER_BYTES, parseProxyHeader } from './proxy-header.js';

/** @param ranges addresses and CIDR ranges, such as `10.0.0.0/8` and `::1` */
export function createAddressList(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  // An IPv4 peer of a dual-stack listener is found by its IPv4 form.
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/**
 * @param done with the source that the proxy names, or nothing where it names none; the bytes behind the header are
 *   unread again. Called once, and not when the link ends before the header does.
 * @param fail the header is malformed
 */
export function readProxyHeader(
  socket: Socket,
  done: (source: string | undefined) => void,
  fail: (error: unknown) => void,
): void {
  let held: Buffer | undefined;
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    const bytes = held === undefined ? chunk : Buffer.concat([held, chunk]);
    try {
      const header = parseProxyHeader(bytes.subarray(0, MAX_PROXY_HEADER_BYTES));
      held = bytes;
      if (header === undefined) return;
      socket.off('readable', onReadable);
      if (bytes.length > header.bytes) socket.unshift(bytes.subarray(header.bytes));
      done(header.source);
    } catch (error) {
      socket.off('readable', onReadable);
      fail(error);
    }
  };
  socket.on('readable', onReadable);
}

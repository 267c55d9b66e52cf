/**
 * Which region a caller's address is of, by the `cidrs` of the regions. The longest prefix that holds the address wins, as
 * in a routing table, so that a range may be cut out of a larger one.
 */
import { BlockList, isIP } from 'node:net';
import type { NodeConfig } from '../config/index.js';

interface PrefixTable {
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
  readonly regions: readonly { readonly name: string; readonly list: BlockList }[];
}

/** A listener on `::` sees IPv4 clients so. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

export class AddressRegions {
  /** Longest prefixes first. */
  readonly #tables: readonly PrefixTable[];

  constructor(regions: NodeConfig['control']['regions']) {
    const tables = new Map<string, { bits: number; family: 'ipv4' | 'ipv6'; lists: Map<string, BlockList> }>();
    for (const [name, { cidrs }] of Object.entries(regions)) {
      for (const cidr of cidrs) {
        const [address = '', length] = cidr.split('/');
        const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
        const bits = length === undefined ? (family === 'ipv6' ? 128 : 32) : Number(length);
        const key = `${family} ${bits}`;
        const table = tables.get(key) ?? { bits, family, lists: new Map<string, BlockList>() };
        tables.set(key, table);
        const list = table.lists.get(name) ?? new BlockList();
        table.lists.set(name, list);
        list.addSubnet(address, bits, family);
      }
    }
    this.#tables = [...tables.values()]
      .sort((a, b) => b.bits - a.bits)
      .map(({ bits, family, lists }) => ({
        bits,
        family,
        regions: [...lists].map(([name, list]) => ({ name, list })),
      }));
  }

  /** @returns undefined for an address that no range holds, and for what is no address */
  find(address: string): string | undefined {
    if (this.#tables.length === 0) return undefined;
    const plain = MAPPED.exec(address)?.[1] ?? address;
    const version = isIP(plain);
    if (version === 0) return undefined;
    const family = version === 6 ? 'ipv6' : 'ipv4';
    for (const table of this.#tables) {
      if (table.family !== family) continue;
      const found = table.regions.find(({ list }) => list.check(plain, family));
      if (found !== undefined) return found.name;
    }
    return undefined;
  }
}

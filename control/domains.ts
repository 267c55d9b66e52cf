/**
 * The domains of a region in the order in which one client is to try them: drawn by their weights, so that of two with
 * weights 3 and 1 the first is named first to three clients of four.
 */
import type { AccessProtocol } from '../cluster/index.js';
import { domainList, type NodeConfig, type WeightedAddress } from '../config/index.js';
import { settingsOf } from './regions.js';

/** By region, then by protocol: `host:port` in the order to try. */
export type DrawnDomains = ReadonlyMap<string, Readonly<Partial<Record<AccessProtocol, readonly string[]>>>>;

/** @param random from 0 to below 1 */
export function drawDomains(
  names: readonly string[],
  regions: NodeConfig['control']['regions'],
  random: () => number,
): DrawnDomains {
  const drawn = new Map<string, Partial<Record<AccessProtocol, readonly string[]>>>();
  for (const name of names) {
    const domains = Object.entries(settingsOf(regions, name)?.domains ?? {});
    if (domains.length === 0) continue;
    drawn.set(
      name,
      Object.fromEntries(domains.map(([protocol, domain]) => [protocol, drawOrder(domainList(domain), random)])),
    );
  }
  return drawn;
}

function drawOrder(domains: readonly WeightedAddress[], random: () => number): string[] {
  const left = [...domains];
  const order: string[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    let mark = left.length === 1 ? 0 : random() * total;
    const at = left.findIndex(({ weight }) => {
      mark -= weight;
      return mark < 0;
    });
    const [taken] = left.splice(at, 1);
    order.push((taken as WeightedAddress).address);
  }
  return order;
}

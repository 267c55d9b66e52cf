/** What clashes between roles, engine and regions. */
import { domainList, isAdvertisable } from './addresses.js';
import type { Report } from './checks.js';
import type { NodeConfig } from './schema.js';

export function checkCluster(config: NodeConfig, report: Report): void {
  checkRoles(config, report);
  checkEngine(config, report);
  checkRegions(config, report);
}

/** What one node of an embedded engine leaves out, nobody does. */
function checkRoles({ node, engine }: NodeConfig, report: Report): void {
  const { roles } = node;
  if (new Set(roles).size !== roles.length) report(['node', 'roles'], 'names a role twice');
  if (engine.type !== 'embedded') return;
  const missing = (['access', 'bridge', 'control'] as const).filter((role) => !roles.includes(role));
  if (missing.length === 0) return;
  const what = missing.join(' and ');
  report(['node', 'roles'], `needs ${what}: with engine.type embedded there is no other node that could have it`);
}

function checkEngine({ engine, cluster }: NodeConfig, report: Report): void {
  if (engine.type !== 'redis') return;
  engine.addresses.forEach((address, index) => {
    if (!isAdvertisable(address)) report(['engine', 'addresses', index], 'must be host:port, such as 10.0.0.5:6379');
  });
  if (engine.mode === 'standalone' && engine.addresses.length > 1) {
    report(['engine', 'addresses'], 'must be one server while engine.mode is standalone');
  }
  if (engine.username !== undefined && engine.password === undefined) {
    report(['engine', 'username'], 'needs engine.password');
  }
  // Else one command without an answer lets a lease lapse that could have been renewed.
  if (engine.commandTimeoutMs > cluster.leaseMs) {
    report(['engine', 'commandTimeoutMs'], `must be at most cluster.leaseMs (${cluster.leaseMs})`);
  }
}

/** A region that is misspelt would send its clients to nobody, silently. */
function checkRegions({ node, control: { regions, pools } }: NodeConfig, report: Report): void {
  const isRegion = (name: string): boolean => Object.hasOwn(regions, name);
  if (Object.keys(regions).length > 0 && !isRegion(node.region)) {
    report(['node', 'region'], `must be one of control.regions, which has no "${node.region}"`);
  }
  if (new Set(pools).size !== pools.length) report(['control', 'pools'], 'names a pool twice');
  for (const [name, { fallback, domains }] of Object.entries(regions)) {
    fallback.forEach((other, index) => {
      const at = ['control', 'regions', name, 'fallback', index];
      if (!isRegion(other)) report(at, `must be one of control.regions, which has no "${other}"`);
      else if (other === name) report(at, 'must be another region');
      else if (fallback.indexOf(other) !== index) report(at, `names "${other}" a second time`);
    });
    for (const [protocol, domain] of Object.entries(domains)) {
      const at = ['control', 'regions', name, 'domains', protocol];
      const addresses = domainList(domain).map(({ address }) => address);
      if (!addresses.every(isAdvertisable)) report(at, 'must be host:port, such as link.example.com:7100');
      if (new Set(addresses).size !== addresses.length) report(at, 'names an address twice');
    }
  }
  checkCidrs(regions, report);
}

/** An address of two regions would be of whichever stands first. */
function checkCidrs(regions: NodeConfig['control']['regions'], report: Report): void {
  const owners = new Map<string, string>();
  for (const [name, { cidrs }] of Object.entries(regions)) {
    cidrs.forEach((cidr, index) => {
      const owner = owners.get(cidr);
      if (owner !== undefined) report(['control', 'regions', name, 'cidrs', index], `stands in "${owner}" already`);
      else owners.set(cidr, name);
    });
  }
}

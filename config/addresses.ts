/** Addresses as they stand in a configuration. */

/** `host:port` that a client can dial: `[::1]:7100`, `link.example.com:443`; a port of 0 is none. */
export function isAdvertisable(text: string): boolean {
  const port = Number(/^(?:\[[0-9a-fA-F:.]+\]|[^\s/:@[\]]+):(\d{1,5})$/.exec(text)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}

export interface WeightedAddress {
  /** `host:port` */
  readonly address: string;
  readonly weight: number;
}

/** A region's domains of one protocol, however they are written. */
export function domainList(domain: string | readonly WeightedAddress[]): readonly WeightedAddress[] {
  return typeof domain === 'string' ? [{ address: domain, weight: 1 }] : domain;
}

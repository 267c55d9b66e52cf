/** The networks that are tried, as rules of nftables on the service's side of the cable. */

export interface Profile {
  readonly name: string;
  /** On what arrives; `FIRST` is the service's first address. */
  readonly rules: readonly string[];
  /** On what arrives and what leaves. */
  readonly rulesBothWays: readonly string[];
}

const profile = (name: string, rules: readonly string[], rulesBothWays: readonly string[] = []): Profile => ({
  name,
  rules,
  rulesBothWays,
});

export const PROFILES: readonly Profile[] = [
  profile('good', []),
  profile('5 % of packets lost', [], ['numgen random mod 100 < 5 drop']),
  profile('UDP blocked', ['meta l4proto udp drop']),
  profile('everything but 443 blocked', ['meta l4proto udp drop', 'tcp dport != 443 drop']),
  profile('first access point a black hole', ['ip daddr FIRST drop']),
];

/**
 * Two network namespaces with one cable: the service in one, the clients in the other, and a firewall between that
 * makes a bad network of it. The service has two addresses, so that it has two access points for each protocol.
 *
 * It takes root, iproute2 and nftables.
 */
import { execFileSync } from 'node:child_process';
import type { Profile } from './profile.js';

const PREFIX = `trkp${process.pid % 100_000}`;
/** Of the addresses that are set aside for benchmarks (RFC 2544). */
const SUBNET = `198.18.${process.pid % 256}`;

/** Under npm another `nft`, a package's, would come first. */
const SYSTEM = { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' };

type Command = readonly [string, ...string[]];

export class Lab {
  readonly serviceAddresses = [`${SUBNET}.1`, `${SUBNET}.2`] as const;
  readonly #service = `${PREFIX}s`;
  readonly #clients = `${PREFIX}c`;

  /** @throws {Error} a tool is missing, or this is not root */
  static open(): Lab {
    const lab = new Lab();
    lab.#open();
    return lab;
  }

  /** Commands that become the one behind them, inside. */
  get inService(): Command {
    return ['ip', 'netns', 'exec', this.#service];
  }

  get inClients(): Command {
    return ['ip', 'netns', 'exec', this.#clients];
  }

  apply(profile: Profile): void {
    const [first] = this.serviceAddresses;
    const rules = profile.rules.map((rule) => rule.replace('FIRST', first));
    const chain = (name: string, lines: readonly string[]) =>
      `chain ${name} { type filter hook ${name} priority 0; ${lines.join('; ')}; }`;
    const lossy = profile.rulesBothWays;
    const chains = [
      chain('input', ['iif lo accept', ...rules, ...lossy]),
      chain('output', ['oif lo accept', ...lossy]),
    ];
    const table = ['table inet profile {', ...chains, '}'].join('\n');
    this.#run(this.inService, 'nft', 'flush', 'ruleset');
    this.#run(this.inService, 'nft', table);
  }

  close(): void {
    for (const namespace of [this.#service, this.#clients]) this.#run([], 'ip', 'netns', 'del', namespace);
  }

  #open(): void {
    for (const namespace of [this.#service, this.#clients]) this.#run([], 'ip', 'netns', 'add', namespace);
    const ends = ['link', 'add', 'cable', 'netns', this.#service, 'type', 'veth', 'peer', 'name', 'cable'];
    this.#run([], 'ip', ...ends, 'netns', this.#clients);
    const addresses = { [this.#service]: this.serviceAddresses, [this.#clients]: [`${SUBNET}.3`] };
    for (const [namespace, own] of Object.entries(addresses)) {
      for (const address of own) this.#run([], 'ip', '-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'cable');
      for (const link of ['lo', 'cable']) this.#run([], 'ip', '-n', namespace, 'link', 'set', link, 'up');
    }
  }

  #run(wrapper: readonly string[], ...command: readonly string[]): void {
    const [program, ...args] = [...wrapper, ...command] as [string, ...string[]];
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env: SYSTEM });
  }
}

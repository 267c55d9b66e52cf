/**
 * Hosts of a test's own: network namespaces, each with two links, so that one can be cut while the other stays.
 *
 * ```
 *   test, Redis                                  host n
 *   bridge 198.18.K.1/24 ──────── inner ──────── 198.18.K.(10+n)     Redis and the other hosts
 *   198.19.K.(4n+1)/30   ──────── outer ──────── 198.19.K.(4n+2)     devices and back-ends
 * ```
 *
 * A cut takes the link's carrier away: bytes vanish without a word, as with a pulled cable. The addresses are those set
 * aside for benchmarks (RFC 2544), which nobody routes. K comes from the process id, so that tests run side by side.
 *
 * It takes root and iproute2. Without them the test fails and says so: what it would prove is proven by nothing else.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { ExecutionContext } from 'ava';

/** Names of links may have 15 characters. */
const PREFIX = `trk${process.pid}`;
let networks = 0;

type Teardown = Pick<ExecutionContext, 'teardown'>;

export class TestNetwork {
  /** Where Redis is to listen. */
  readonly address: string;
  readonly #t: Teardown;
  readonly #id: string;
  readonly #subnet: number;
  readonly #hosts: NetworkHost[] = [];

  /** @throws {Error} namespaces cannot be made here; says why */
  static create(t: Teardown): TestNetwork {
    networks += 1;
    const network = new TestNetwork(t, `${PREFIX}n${networks}`, (process.pid * 7 + networks) % 256);
    network.#open();
    return network;
  }

  private constructor(t: Teardown, id: string, subnet: number) {
    this.#t = t;
    this.#id = id;
    this.#subnet = subnet;
    this.address = `198.18.${subnet}.1`;
  }

  /** Another host. */
  addHost(): NetworkHost {
    const n = this.#hosts.length;
    const k = this.#subnet;
    const host = new NetworkHost({
      namespace: `${this.#id}h${n}`,
      bridge: this.#id,
      innerAddress: `198.18.${k}.${10 + n}`,
      nearAddress: `198.19.${k}.${4 * n + 1}`,
      outerAddress: `198.19.${k}.${4 * n + 2}`,
      others: () => this.#hosts.filter((other) => other !== host),
    });
    this.#t.teardown(() => host.close());
    host.open();
    this.#hosts.push(host);
    return host;
  }

  #open(): void {
    try {
      ip('link', 'add', this.#id, 'type', 'bridge');
    } catch (error) {
      throw new Error(
        `This test makes network namespaces, which takes root and iproute2 (apt-get install iproute2): ${words(error)}`,
      );
    }
    this.#t.teardown(() => ip('link', 'del', this.#id));
    removeLeftOvers();
    ip('addr', 'add', `${this.address}/24`, 'dev', this.#id);
    ip('link', 'set', this.#id, 'up');
  }
}

interface HostOptions {
  readonly namespace: string;
  readonly bridge: string;
  readonly innerAddress: string;
  readonly nearAddress: string;
  readonly outerAddress: string;
  readonly others: () => readonly NetworkHost[];
}

export class NetworkHost {
  readonly #options: HostOptions;
  readonly #inner: string;
  readonly #outer: string;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#inner = `${options.namespace}i`;
    this.#outer = `${options.namespace}o`;
  }

  /** At which devices and back-ends reach what runs here. */
  get address(): string {
    return this.#options.outerAddress;
  }

  /** Towards Redis and the other hosts. */
  get innerAddress(): string {
    return this.#options.innerAddress;
  }

  /** This machine's end of the link over which `address` is reached. */
  get nearAddress(): string {
    return this.#options.nearAddress;
  }

  /** A command that becomes the one behind it, inside. */
  get wrapper(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#options.namespace];
  }

  /** Takes Redis and the other hosts away, not the devices and back-ends. */
  cut(): void {
    ip('link', 'set', this.#inner, 'down');
  }

  /** Puts back what `cut` took. */
  mend(): void {
    ip('link', 'set', this.#inner, 'up');
  }

  /** Takes the other hosts away, in both directions, and leaves Redis. */
  cutFromOthers(): void {
    for (const other of this.#options.others()) {
      this.#inside('route', 'add', 'blackhole', `${other.innerAddress}/32`);
      other.#inside('route', 'add', 'blackhole', `${this.innerAddress}/32`);
    }
  }

  /** Whether packets get from here to `address` and back: a refusal is an answer too. */
  reaches(address: string): boolean {
    try {
      const dial = `exec 3<>/dev/tcp/${address}/9`;
      ip('netns', 'exec', this.#options.namespace, 'timeout', '1', 'bash', '-c', dial);
      return true;
    } catch (error) {
      return /refused/.test(words(error));
    }
  }

  open(): void {
    const { namespace, bridge, innerAddress, nearAddress, outerAddress } = this.#options;
    ip('netns', 'add', namespace);
    for (const [near, far] of [
      [this.#inner, 'inner'],
      [this.#outer, 'outer'],
    ] as const) {
      ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', namespace);
      ip('link', 'set', near, 'up');
    }
    ip('link', 'set', this.#inner, 'master', bridge);
    ip('addr', 'add', `${nearAddress}/30`, 'dev', this.#outer);
    this.#inside('addr', 'add', `${innerAddress}/24`, 'dev', 'inner');
    this.#inside('addr', 'add', `${outerAddress}/30`, 'dev', 'outer');
    for (const link of ['lo', 'inner', 'outer']) this.#inside('link', 'set', link, 'up');
  }

  /** Removes it with its links; what runs inside keeps a network without any link. */
  close(): void {
    tryIp('link', 'del', this.#inner);
    tryIp('link', 'del', this.#outer);
    tryIp('netns', 'del', this.#options.namespace);
  }

  #inside(...args: readonly string[]): void {
    ip('-n', this.#options.namespace, ...args);
  }
}

/** What a test left behind that was ended over it; its process is no more. */
function removeLeftOvers(): void {
  const isLeft = (name: string) => {
    const [, pid] = /^trk(\d+)n/.exec(name) ?? [];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  };
  const namesOf = (listing: string) => listing.split('\n').map((line) => line.split(/[\s@]/)[0] ?? '');
  for (const name of namesOf(ip('netns', 'list')).filter(isLeft)) ip('netns', 'del', name);
  for (const name of namesOf(ip('-br', 'link')).filter(isLeft)) tryIp('link', 'del', name);
}

/** For what may be gone already, because what it belonged to was removed. */
function tryIp(...args: readonly string[]): void {
  try {
    ip(...args);
  } catch {
    // It is.
  }
}

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function words(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr || message).trim();
}

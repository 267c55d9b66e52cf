/** A node as an operator runs it: `trunkline start` in a process of its own, seen from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { ConfigInput } from '../../config/index.js';
import { type TestNodeOptions, testConfig } from './test-config.js';

const MAIN = 'dist/cli/main.js';
const LISTENING = '0A';
const UNIX_ACCEPTS = '00010000';

export interface ProcessAddresses {
  readonly tcp: string;
  readonly ws: string;
  readonly services: Readonly<Record<'BridgeActor' | 'ControlActor', string>>;
}

export interface LaunchOptions {
  /** Made with the data directory that the node is to have; whatever lies there already is kept. */
  readonly config: (dataDir: string) => ConfigInput;
  /** Node's own, such as `--inspect`. */
  readonly flags?: readonly string[];
  /** A command that becomes the node, such as `ip netns exec NAME`. */
  readonly wrapper?: readonly string[];
}

export class NodeProcess {
  readonly addresses: ProcessAddresses;
  readonly dataDir: string;
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  readonly #child: ChildProcess;
  readonly #stderr: () => string;

  /** @param flags Node's own, such as `--inspect` */
  static start(
    t: Pick<ExecutionContext, 'teardown'>,
    options: TestNodeOptions = {},
    flags: readonly string[] = [],
  ): Promise<NodeProcess> {
    return NodeProcess.launch(t, { config: (dataDir) => testConfig(dataDir, options), flags });
  }

  static async launch(
    t: Pick<ExecutionContext, 'teardown'>,
    { config, flags = [], wrapper = [] }: LaunchOptions,
  ): Promise<NodeProcess> {
    const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    const path = join(dir, 'node.yaml');
    const dataDir = join(dir, 'data');
    writeFileSync(path, JSON.stringify(config(dataDir)));
    const command = [...wrapper, process.execPath, ...flags, MAIN, 'start', '--config', path, '--json'];
    const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    t.teardown(() => child.kill('SIGKILL'));
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const exited = once(child, 'close').then(([code, signal]) => code ?? signal);
    const line = await firstLine(child);
    if (line === '') {
      await exited;
      throw new Error(`the node did not start: ${stderr}`);
    }
    return new NodeProcess(child, JSON.parse(line).addresses, dataDir, exited, () => stderr);
  }

  private constructor(
    child: ChildProcess,
    addresses: ProcessAddresses,
    dataDir: string,
    exited: Promise<number | string>,
    stderr: () => string,
  ) {
    this.#child = child;
    this.addresses = addresses;
    this.dataDir = dataDir;
    this.exited = exited;
    this.#stderr = stderr;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get stderr(): string {
    return this.#stderr();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** What the process listens on, from `/proc`: ports of TCP sockets, and how many Unix sockets accept. */
  listeners(): { ports: number[]; unixSockets: number } {
    const fds = `/proc/${this.#child.pid}/fd`;
    const inodes = new Set(readdirSync(fds).map((fd) => /^socket:\[(\d+)\]/.exec(linkOf(`${fds}/${fd}`))?.[1]));
    const lines = (name: string) => readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n').slice(1);
    const ports = [...lines('tcp'), ...lines('tcp6')]
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === LISTENING && inodes.has(inode))
      .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16));
    const unixSockets = lines('unix')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , flags, , , inode]) => flags === UNIX_ACCEPTS && inodes.has(inode)).length;
    return { ports, unixSockets };
  }
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of stdout ?? []) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.split('\n')[0] ?? '';
}

/** A descriptor may be closed while the list is read. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

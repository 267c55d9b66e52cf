/**
 * A node in a process of its own, with its heaps and its memory in view: what it holds can be told from what its tester
 * holds. Business `im` has a back-end that echoes.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { INSPECT_FLAG, NodeInspector } from './node-inspector.js';
import { NodeProcess } from './node-process.js';
import { NodeTarget } from './node-target.js';
import type { TestNodeOptions } from './test-config.js';

type Cleanup = () => unknown;

const KEEP_ALIVE_MS = 10 * 60_000;

export class InspectedNode extends NodeTarget {
  readonly inspector: NodeInspector;
  readonly #process: NodeProcess;

  static async start(options: TestNodeOptions = {}): Promise<InspectedNode> {
    const cleanups: Cleanup[] = [];
    // As docs/integration.md asks of a back-end: a request must not meet a connection that is just closing.
    const echo = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => request.pipe(response));
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    cleanups.push(
      () => echo.close(),
      () => echo.closeAllConnections(),
    );
    const upstreamUrl = `http://127.0.0.1:${(echo.address() as AddressInfo).port}/`;
    const owner = { teardown: (cleanup: Cleanup) => void cleanups.push(cleanup) };
    const process = await NodeProcess.start(owner, { upstreamUrl, ...options }, [INSPECT_FLAG]);
    const inspector = await NodeInspector.open(() => process.stderr);
    return new InspectedNode(process, inspector, cleanups);
  }

  private constructor(process: NodeProcess, inspector: NodeInspector, cleanups: readonly Cleanup[]) {
    super(process.addresses);
    this.inspector = inspector;
    this.#process = process;
    this.cleanups.unshift(...cleanups);
    this.cleanups.push(() => inspector.close());
  }

  get addresses(): NodeProcess['addresses'] {
    return this.#process.addresses;
  }

  /** With the node's own keys. */
  get dataDir(): string {
    return this.#process.dataDir;
  }

  /** What the process wrote to standard error. */
  get stderr(): string {
    return this.#process.stderr;
  }

  /** The most resident memory since `forgetPeak`. */
  peakBytes(): number {
    return this.#status('VmHWM') * 1024;
  }

  residentBytes(): number {
    return this.#status('VmRSS') * 1024;
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.#process.pid}/clear_refs`, '5');
  }

  openFiles(): number {
    return readdirSync(`/proc/${this.#process.pid}/fd`).length;
  }

  #status(field: string): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  }
}

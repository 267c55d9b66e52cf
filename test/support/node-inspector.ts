/**
 * Looks into a node's process from outside, through V8's inspector: collects its garbage, reads its heaps, and lets a
 * thread run what a test wants it to suffer. The node needs nothing for it but Node's own `--inspect`.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';

/** Given to `node`; the kernel chooses the port. */
export const INSPECT_FLAG = '--inspect=127.0.0.1:0';

const READY = /Debugger listening on (ws:\/\/\S+)/;

interface Reply {
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export class NodeInspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, (reply: Reply) => void>();
  /** Sessions of the worker threads, in the order of their start. */
  readonly #workers: string[] = [];
  #ids = 0;

  /** @param stderr what the process has written there */
  static async open(stderr: () => string): Promise<NodeInspector> {
    let url: string | undefined;
    while (url === undefined) {
      url = READY.exec(stderr())?.[1];
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await once(socket, 'open');
    const inspector = new NodeInspector(socket);
    await inspector.#ask('', 'NodeWorker.enable', { waitForDebuggerOnStart: false });
    return inspector;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(JSON.parse(String(data))));
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const settle of this.#waiting.values()) settle({ error: { message: 'the inspected process is gone' } });
      this.#waiting.clear();
    });
  }

  get workers(): number {
    return this.#workers.length;
  }

  /** Evaluates an expression in a worker thread, or in the main thread (-1). */
  async evaluate(worker: number, expression: string): Promise<unknown> {
    const session = worker < 0 ? '' : (this.#workers[worker] as string);
    const { result } = (await this.#ask(session, 'Runtime.evaluate', { expression, returnByValue: true })) as {
      result: { value?: unknown };
    };
    return result.value;
  }

  /** @returns bytes alive in the heaps of all threads, array buffers included, after a full collection */
  async heapBytes(): Promise<number> {
    let bytes = 0;
    for (const session of ['', ...this.#workers]) {
      await this.#ask(session, 'HeapProfiler.collectGarbage', {});
      const usage = (await this.#ask(session, 'Runtime.evaluate', {
        expression: '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())',
        returnByValue: true,
      })) as { result: { value: number } };
      bytes += usage.result.value;
    }
    return bytes;
  }

  close(): void {
    this.#socket.terminate();
  }

  async #ask(session: string, method: string, params: object): Promise<unknown> {
    const id = ++this.#ids;
    const answered = new Promise<Reply>((resolve) => this.#waiting.set(`${session}:${id}`, resolve));
    const message = JSON.stringify({ id, method, params });
    if (session === '') this.#socket.send(message);
    else {
      const carried = { sessionId: session, message };
      this.#socket.send(JSON.stringify({ id: ++this.#ids, method: 'NodeWorker.sendMessageToWorker', params: carried }));
    }
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  #receive(message: Reply & { id?: number; method?: string; params?: Record<string, unknown> }): void {
    const params = message.params as { sessionId: string; message: string } | undefined;
    if (message.method === 'NodeWorker.attachedToWorker') this.#workers.push(params?.sessionId as string);
    if (message.method === 'NodeWorker.receivedMessageFromWorker' && params !== undefined) {
      const carried = JSON.parse(params.message) as Reply & { id: number };
      this.#settle(`${params.sessionId}:${carried.id}`, carried);
    }
    if (message.id !== undefined) this.#settle(`:${message.id}`, message);
  }

  #settle(key: string, reply: Reply): void {
    this.#waiting.get(key)?.(reply);
    this.#waiting.delete(key);
  }
}

/**
 * Many devices with as little as it takes: a socket, a decoder, and a count of what each received. They come back when
 * they are told to and not by themselves, so that a test decides when.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { DEFAULT_MAX_FRAME_BYTES, decodeFrame, encodeFrame, FrameDecoder, FrameType } from '../../protocol/index.js';
import type { Receipts } from './receipts.js';
import type { ClusterNode, TestCluster } from './test-cluster.js';

const AT_ONCE = 64;

export class Crowd {
  readonly #cluster: TestCluster;
  readonly #receipts: Receipts;
  readonly #tokens = new Map<string, string>();
  readonly #sockets = new Set<Socket>();
  /** Links that ended, by close code; 0 for those that ended without one. */
  readonly ends = new Map<number, number>();

  constructor(cluster: TestCluster, receipts: Receipts) {
    this.#cluster = cluster;
    this.#receipts = receipts;
  }

  get deviceIds(): string[] {
    return [...this.#tokens.keys()];
  }

  /** Links that are open. */
  get open(): number {
    return this.#sockets.size;
  }

  /**
   * Logs `size` devices in, `crowd-0` and on, at each of `nodes` in turn.
   *
   * @returns how long the logins took, in milliseconds
   */
  async connect(size: number, nodes: readonly ClusterNode[]): Promise<number> {
    for (let i = this.#tokens.size; i < size; i++) {
      const deviceId = `crowd-${i}`;
      this.#tokens.set(deviceId, (await this.#cluster.token(deviceId)).token);
    }
    const waiting = [...this.#tokens].slice(0, size).entries();
    const startedMs = performance.now();
    const worker = async () => {
      for (const [index, [deviceId, token]] of waiting) {
        await this.#login(deviceId, token, nodes[index % nodes.length] as ClusterNode);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return performance.now() - startedMs;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #login(deviceId: string, token: string, { tcp }: ClusterNode): Promise<void> {
    const [host = '', port] = tcp.split(':');
    const socket = connect({ host, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    this.#sockets.add(socket);
    const decoder = new FrameDecoder(DEFAULT_MAX_FRAME_BYTES);
    let code = 0;
    socket.on('error', () => {});
    await new Promise<void>((resolve, reject) => {
      socket.on('close', () => {
        this.#sockets.delete(socket);
        this.ends.set(code, (this.ends.get(code) ?? 0) + 1);
        reject(new Error(`${deviceId} was not let in: close code ${code}`));
      });
      socket.on('data', (bytes) => {
        for (const raw of decoder.decode(bytes)) {
          const frame = decodeFrame(raw);
          if (frame?.type === FrameType.connack && frame.status === 0) resolve();
          else if (frame?.type === FrameType.push) this.#receipts.got(deviceId, frame.messageId);
          else if (frame?.type === FrameType.close) code = frame.code;
        }
      });
      socket.write(encodeFrame({ type: FrameType.connect, minVersion: 1, maxVersion: 1, token, attributes: {} }));
    });
  }
}

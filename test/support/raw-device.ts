/** A device that speaks frames by hand over TCP: what it received stays in order until a test takes it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  type ConnackFrame,
  DEFAULT_MAX_FRAME_BYTES,
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameDecoder,
  FrameType,
} from '../../protocol/index.js';

type FrameOf<T extends Frame['type']> = Extract<Frame, { type: T }>;

export class RawDevice {
  /** Everything received, in order. */
  readonly frames: Frame[] = [];
  /** Resolves when the link is gone. */
  readonly ended: Promise<unknown>;
  /** As the token said, for a device that logged in by `TestNode`. */
  deviceId = '';
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder(DEFAULT_MAX_FRAME_BYTES);
  #connack: ConnackFrame | undefined;
  #taken = 0;
  #wake = (): void => {};

  /** @param localAddress one of this machine's own, where a single one has too few ports */
  static async open(address: string, localAddress?: string): Promise<RawDevice> {
    const [host = '', port] = address.split(':');
    const socket = connect({ port: Number(port), host, ...(localAddress === undefined ? {} : { localAddress }) });
    await once(socket, 'connect');
    return new RawDevice(socket);
  }

  /** @param socket an open one, such as a TLS socket */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        resolve(undefined);
        this.#wake();
      });
    });
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const raw of this.#decoder.decode(bytes)) {
        const frame = decodeFrame(raw);
        if (frame !== undefined) this.frames.push(frame);
      }
      this.#wake();
    });
  }

  get connectionId(): string {
    return this.#connack?.connectionId ?? '';
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  send(...frames: Frame[]): void {
    this.#socket.write(Buffer.concat(frames.map((frame) => encodeFrame(frame))));
  }

  /** Bytes as they are; the promise is their leaving. */
  write(bytes: Uint8Array | string): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }

  async login(token: string): Promise<ConnackFrame> {
    this.send({ type: FrameType.connect, minVersion: 1, maxVersion: 1, token, attributes: {} });
    this.#connack = await this.next(FrameType.connack);
    return this.#connack;
  }

  /** The next frame of this type; frames of other types before it are passed over. */
  async next<T extends Frame['type']>(type: T): Promise<FrameOf<T>> {
    for (;;) {
      for (; this.#taken < this.frames.length; this.#taken++) {
        const frame = this.frames[this.#taken] as Frame;
        if (frame.type !== type) continue;
        this.#taken += 1;
        return frame as FrameOf<T>;
      }
      if (this.#socket.destroyed) throw new Error(`the link ended before frame type ${type} came`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Lets go of the frames that were taken or passed over. */
  forget(): void {
    this.frames.splice(0, this.#taken);
    this.#taken = 0;
  }

  /** Reads nothing more, as a device in a tunnel. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  cut(): void {
    this.#socket.destroy();
  }
}

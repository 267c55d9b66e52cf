/** A client of a test worker, over a link in memory: what it sends and what it was sent, as frames. */
import { Handshake } from '../../actors/handshake.js';
import {
  type ConnackFrame,
  type ConnectFrame,
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameDecoder,
  FrameType,
  type ResponseFrame,
} from '../../protocol/index.js';
import { type Envelope, MemoryTransport } from '../../transports/index.js';
import { type TestNode, tokenFor } from './test-worker.js';
import { turns } from './until.js';

const MESSAGE_HEADERS = { short: 2, medium: 4, long: 10 } as const;

export class MemoryClient {
  readonly transport: MemoryTransport;

  /** @param origin of the web page that it pretends to be */
  constructor(node: TestNode, envelope?: Envelope, origin?: string) {
    this.transport = new MemoryTransport(envelope);
    new Handshake(this.transport, node.worker, origin);
  }

  send(...frames: Frame[]): void {
    this.transport.receive(Buffer.concat(frames.map(encodeFrame)));
  }

  /** A frame by its bytes, for what `encodeFrame` refuses to write. */
  sendRaw(type: number, body: Uint8Array): void {
    const header = Buffer.alloc(4);
    header.writeUIntBE(body.length, 0, 3);
    header[3] = type;
    this.transport.receive(Buffer.concat([header, body]));
  }

  /** Every frame so far. */
  frames(): Frame[] {
    const decoder = new FrameDecoder(2 ** 24);
    const { envelope, writes } = this.transport;
    return writes.flatMap((wire) => {
      const frames = (envelope.wholeFrames ? unwrap(wire) : [wire]).flatMap((bytes) => decoder.decode(bytes));
      return frames.map((raw) => decodeFrame(raw) as Frame);
    });
  }

  /** The frames of one type, in order. */
  of<Type extends Frame['type']>(type: Type): Extract<Frame, { type: Type }>[] {
    return this.frames().filter((frame): frame is Extract<Frame, { type: Type }> => frame.type === type);
  }

  get connack(): ConnackFrame | undefined {
    return this.of(FrameType.connack)[0];
  }

  /** The code of the CLOSE frame, which is the last frame. */
  get closeCode(): number | undefined {
    const last = this.frames().at(-1);
    return last?.type === FrameType.close ? last.code : undefined;
  }

  response(requestId: number): ResponseFrame | undefined {
    return this.of(FrameType.response).find((frame) => frame.requestId === requestId);
  }
}

export function connectFrame(token: string, own: Partial<ConnectFrame> = {}): ConnectFrame {
  return { type: FrameType.connect, minVersion: 1, maxVersion: 1, token, attributes: {}, ...own };
}

/** A client that is online. */
export async function online(node: TestNode, deviceId: string, token = tokenFor(deviceId)): Promise<MemoryClient> {
  const client = new MemoryClient(node);
  client.send(connectFrame(token));
  await turns();
  return client;
}

function unwrap(wire: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let rest = Buffer.from(wire);
  while (rest.length > 0) {
    const { short, medium, long } = MESSAGE_HEADERS;
    const marker = rest[1] as number;
    const start = marker < 126 ? short : marker === 126 ? medium : long;
    const length = marker < 126 ? marker : marker === 126 ? rest.readUInt16BE(2) : rest.readUInt32BE(6);
    messages.push(rest.subarray(start, start + length));
    rest = rest.subarray(start + length);
  }
  return messages;
}

import test from 'ava';
import {
  checkSentBy,
  DEFAULT_MAX_FRAME_BYTES,
  decodeFrame,
  FrameDecoder,
  ProtocolError,
  reconnectAdvice,
  type Side,
} from '../../protocol/index.js';
import { fromHex, readVectors } from './vectors.js';

interface InvalidVector {
  readonly name: string;
  readonly hex: string;
  readonly maxFrameBytes?: number;
  readonly receiver?: Side;
  readonly error: string;
  readonly closeCode: number;
}

const { cases } = readVectors<{ cases: readonly InvalidVector[] }>('invalid');

function receive(chunks: readonly Uint8Array[], { maxFrameBytes, receiver }: InvalidVector): void {
  const decoder = new FrameDecoder(maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES);
  for (const raw of chunks.flatMap((chunk) => decoder.decode(chunk))) {
    if (receiver !== undefined) checkSentBy(receiver === 'server' ? 'client' : 'server', raw.type);
    decodeFrame(raw);
  }
}

for (const vector of cases) {
  test(`invalid: ${vector.name}`, (t) => {
    const bytes = fromHex(vector.hex);
    const byByte = Array.from(bytes, (byte) => Uint8Array.of(byte));
    for (const chunks of [[bytes], [Buffer.from(bytes)], byByte]) {
      const error = caught(() => receive(chunks, vector));
      t.true(error instanceof ProtocolError);
      t.is((error as ProtocolError).code, vector.error);
      t.is((error as ProtocolError).closeCode, vector.closeCode);
    }
    t.is(reconnectAdvice(vector.closeCode), 'stay-away');
  });
}

function caught(work: () => void): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

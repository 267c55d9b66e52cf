/**
 * What the codec costs per frame, for the four frames that make up nearly all traffic. CPU time of the process is
 * counted instead of wall time, so that a busy machine changes the figures little; each is the median of several
 * rounds after a warm-up.
 *
 * `node dist/scripts/bench/codec.js [payload bytes]`
 */
import { cpus } from 'node:os';
import { decodeFrame, encodeFrame, type Frame, FrameDecoder, FrameType } from '../../protocol/index.js';

const ROUNDS = 9;
const FRAMES_A_ROUND = 200_000;
/** Frames that arrive in one chunk, as after a busy turn of the sender. */
const FRAMES_A_CHUNK = 16;

interface Figure {
  readonly name: string;
  readonly frameBytes: number;
  readonly nsPerFrame: number;
}

function sampleFrames(payload: Uint8Array): Record<string, Frame> {
  const metadata = { 'content-type': 'application/json', trace: '5f1c2a9e7b3d4c60' };
  const messageId = 'm-01J8ZQ4T6V9XK2';
  return {
    'REQUEST, 2 metadata pairs': {
      type: FrameType.request,
      requestId: 1234,
      businessId: 7,
      method: 'chat.send',
      metadata,
      deadlineMs: 5000,
      payload,
    },
    'RESPONSE, no metadata': { type: FrameType.response, requestId: 1234, status: 0, metadata: {}, payload },
    'PUSH, unicast, 2 metadata pairs': { type: FrameType.push, businessId: 7, messageId, metadata, payload },
    'PUSH, multicast, no metadata': {
      type: FrameType.push,
      businessId: 7,
      messageId,
      multicast: { group: 'room-4711', offset: 1_234_567 },
      metadata: {},
      payload,
    },
  };
}

/** Median CPU nanoseconds of one unit of `work`, which does `units` of them. */
function measure(units: number, work: () => void): number {
  work();
  work();
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = process.cpuUsage();
    work();
    const used = process.cpuUsage(start);
    return ((used.user + used.system) * 1000) / units;
  });
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] as number;
}

/** Added to by every measured loop and printed, so that no result is thrown away unread. */
let checksum = 0;

function measureEncode(name: string, frame: Frame): Figure {
  const nsPerFrame = measure(FRAMES_A_ROUND, () => {
    for (let i = 0; i < FRAMES_A_ROUND; i++) checksum += encodeFrame(frame).length;
  });
  return { name: `encode ${name}`, frameBytes: encodeFrame(frame).length, nsPerFrame };
}

function measureDecode(name: string, frame: Frame): Figure {
  const bytes = encodeFrame(frame);
  // A Buffer, because that is what sockets hand over.
  const chunk = Buffer.concat(Array.from({ length: FRAMES_A_CHUNK }, () => bytes));
  const decoder = new FrameDecoder(bytes.length);
  const nsPerFrame = measure(FRAMES_A_ROUND, () => {
    for (let i = 0; i < FRAMES_A_ROUND; i += FRAMES_A_CHUNK) {
      for (const raw of decoder.decode(chunk)) checksum += decodeFrame(raw)?.type ?? 0;
    }
  });
  return { name: `decode ${name}`, frameBytes: bytes.length, nsPerFrame };
}

function print(figures: readonly Figure[]): void {
  for (const { name, frameBytes, nsPerFrame } of figures) {
    const perSecond = Math.round(1e9 / nsPerFrame).toLocaleString('en');
    const columns = [name.padEnd(40), `${frameBytes} B`.padStart(8), `${nsPerFrame.toFixed(0)} ns`.padStart(9)];
    console.log(`${columns.join('')}  ${perSecond.padStart(12)}/s`);
  }
}

const payloadBytes = Number(process.argv[2] ?? 128);
console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores`);
console.log(`payload ${payloadBytes} B, ${FRAMES_A_CHUNK} frames a chunk, CPU time, median of ${ROUNDS} rounds\n`);
for (const [name, frame] of Object.entries(sampleFrames(new Uint8Array(payloadBytes).fill(0x61)))) {
  print([measureEncode(name, frame), measureDecode(name, frame)]);
}
console.log(`\n(checksum ${checksum})`);

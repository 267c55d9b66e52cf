/**
 * Which of Redis Cluster's 16,384 slots a key belongs to: CRC-16 (XMODEM) of the key, or of what stands between its
 * first `{` and the next `}`.
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
 */
const SLOTS = 16_384;
const POLYNOMIAL = 0x1021;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc & 0xffff;
});

export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (let i = 0; i < hashed.length; i++) {
    const unit = hashed.charCodeAt(i);
    if (unit > 0x7f) return crcOf(Buffer.from(hashed)) % SLOTS;
    crc = step(crc, unit);
  }
  return crc % SLOTS;
}

function crcOf(bytes: Uint8Array): number {
  return bytes.reduce(step, 0);
}

function step(crc: number, byte: number): number {
  return ((crc << 8) & 0xffff) ^ (TABLE[((crc >> 8) ^ byte) & 0xff] as number);
}

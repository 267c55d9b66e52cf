/**
 * Latencies in log-linear buckets: 64 to a power of two, so a quantile is at most 1.6 % off while a recording is
 * two shifts and an increment. Whole microseconds, up to about half an hour.
 */
const SUB_BUCKET_BITS = 6;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
const MAX_VALUE = 0x7fff_ffff;

export class Histogram {
  readonly #counts = new Uint32Array(bucketOf(MAX_VALUE) + 1);
  #count = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get max(): number {
    return this.#max;
  }

  /** A negative value, as two clocks may give, counts as 0. */
  record(valueUs: number): void {
    const value = valueUs < 0 ? 0 : valueUs > MAX_VALUE ? MAX_VALUE : valueUs | 0;
    (this.#counts[bucketOf(value)] as number)++;
    this.#count++;
    if (value > this.#max) this.#max = value;
  }

  /** @param share 0.5 for the median. @returns µs, 0 when nothing was recorded */
  quantile(share: number): number {
    const wanted = share * this.#count;
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket] as number;
      if (seen > 0 && seen >= wanted) return Math.min(lowestOf(bucket), this.#max);
    }
    return this.#max;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#max = 0;
  }
}

function bucketOf(value: number): number {
  if (value < SUB_BUCKETS) return value;
  const exponent = 31 - Math.clz32(value);
  return ((exponent - SUB_BUCKET_BITS + 1) << SUB_BUCKET_BITS) + ((value >> (exponent - SUB_BUCKET_BITS)) & 63);
}

function lowestOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const exponent = (bucket >> SUB_BUCKET_BITS) + SUB_BUCKET_BITS - 1;
  return 2 ** exponent + (bucket & 63) * 2 ** (exponent - SUB_BUCKET_BITS);
}

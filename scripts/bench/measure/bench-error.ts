import { TrunklineError } from '../../../protocol/index.js';

/** A benchmark cannot run here, or what it measured is not what it set out to measure. */
export class BenchError extends TrunklineError {
  readonly code = 'TRK_BENCH_FAILED';
}

/** Opens the engine of a node that starts, and says what to look at where that fails. */
import { EngineUnavailableError } from '../actors/index.js';
import type { EngineConfig } from '../config/index.js';
import { TrunklineError } from '../protocol/index.js';
import type { Engine } from './engines/contract/index.js';
import { createEngine } from './engines/create-engine.js';

/** Redis was not there when the node started. */
export class EngineNotReachedError extends TrunklineError {
  readonly code = 'TRK_ENGINE_UNAVAILABLE';
  constructor(engine: Extract<EngineConfig, { type: 'redis' }>, error: EngineUnavailableError) {
    const { mode, addresses, connectTimeoutMs } = engine;
    const cause = error.cause instanceof Error ? error.cause.message : error.message;
    super(
      `Redis (${mode}, ${addresses.join(', ')}) was not reached within ${connectTimeoutMs} ms: ${cause}. ` +
        'Check that it runs and that engine.mode, engine.addresses, engine.password and engine.tls are right.',
      { cause: error },
    );
  }
}

/** @throws {EngineNotReachedError}; {UnsuitableRedisError}; {InvalidControlStateError} */
export async function openEngine(config: EngineConfig, dataDir: string): Promise<Engine> {
  try {
    return await createEngine(config, dataDir);
  } catch (error) {
    if (config.type === 'redis' && error instanceof EngineUnavailableError)
      throw new EngineNotReachedError(config, error);
    throw error;
  }
}

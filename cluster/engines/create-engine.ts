/** The engine that the configuration names. The Redis client is loaded only where it is asked for. */
import type { EngineConfig } from '../../config/index.js';
import type { Engine } from './contract/index.js';
import { createEmbeddedEngine } from './embedded/index.js';

/**
 * @param dataDir where the embedded engine keeps what outlives the process; in memory when absent
 * @throws {EngineUnavailableError} Redis is not there
 * @throws {UnsuitableRedisError} it is not what the engine needs
 * @throws {InvalidControlStateError} the embedded engine's file does not hold what it should
 */
export async function createEngine(config: EngineConfig, dataDir?: string): Promise<Engine> {
  if (config.type === 'embedded') return createEmbeddedEngine({ dataDir });
  const { createRedisEngine } = await import('./redis/index.js');
  return createRedisEngine(config);
}

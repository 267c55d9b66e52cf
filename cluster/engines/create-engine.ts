/** The engine that the configuration names. The Redis client is loaded only where it is asked for. */
import type { EngineConfig } from '../../config/index.js';
import type { Engine } from './contract/index.js';
import { createEmbeddedEngine } from './embedded/index.js';

/**
 * @throws {EngineUnavailableError} Redis is not there
 * @throws {UnsuitableRedisError} it is not what the engine needs
 */
export async function createEngine(config: EngineConfig): Promise<Engine> {
  if (config.type === 'embedded') return createEmbeddedEngine();
  const { createRedisEngine } = await import('./redis/index.js');
  return createRedisEngine(config);
}

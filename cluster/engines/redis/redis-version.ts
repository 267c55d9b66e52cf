/** Whether a server is one that the engine can live on: sharded channels came with Redis 7.0. */
import type { Redis } from 'ioredis';
import type { RedisConfig } from '../../../config/index.js';
import { engineError, UnsuitableRedisError } from './errors.js';

const OLDEST_MAJOR = 7;

/**
 * @throws {UnsuitableRedisError}
 * @throws {EngineUnavailableError} it does not tell
 */
export async function assertSuitable(client: Redis, mode: RedisConfig['mode']): Promise<void> {
  const info = await client.info().catch((error) => Promise.reject(engineError(error)));
  const version = fieldOf(info, 'redis_version') ?? '0';
  if (Number.parseInt(version, 10) < OLDEST_MAJOR) {
    throw new UnsuitableRedisError(`Redis ${version} is too old for the engine: it needs ${OLDEST_MAJOR}.0 or newer`);
  }
  if (mode !== 'cluster' && fieldOf(info, 'cluster_enabled') === '1') {
    throw new UnsuitableRedisError(
      `the Redis server is part of a Cluster, and engine.mode is ${mode}: set it to cluster`,
    );
  }
}

function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}

/** The engine of a service of many nodes: everything in Redis 7.0 or newer, over one connection a node. */
import type { RedisConfig } from '../../../config/index.js';
import type { Engine } from '../contract/index.js';
import { Channels } from './channels.js';
import { Keys } from './keys.js';
import { RedisBus } from './redis-bus.js';
import { RedisConnection } from './redis-connection.js';
import { RedisControlState } from './redis-control-state.js';
import { RedisCredentials } from './redis-credentials.js';
import { RedisGroups } from './redis-groups.js';
import { RedisMembership } from './redis-membership.js';
import { RedisRoutes } from './redis-routes.js';

/**
 * @throws {EngineUnavailableError} no connection within `connectTimeoutMs`
 * @throws {UnsuitableRedisError} older than 7.0, or not what `mode` says
 */
export async function createRedisEngine(config: RedisConfig): Promise<Engine> {
  const connection = await RedisConnection.open(config);
  const channels = new Channels(connection);
  const keys = new Keys(config.prefix);
  try {
    return {
      routes: new RedisRoutes(connection, keys),
      groups: new RedisGroups(connection, keys),
      bus: new RedisBus(connection, channels, keys),
      membership: await RedisMembership.open(connection, channels, keys),
      credentials: await RedisCredentials.open(connection, channels, keys),
      controlState: await RedisControlState.open(connection, channels, keys),
      close: () => connection.close(),
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

export { UnsuitableRedisError } from './errors.js';

/** The `engine` settings of a test, for one of the three forms of Redis. */
import type { RedisConfig } from '../../config/index.js';

let prefixes = 0;

/** With a prefix of its own, so that tests share a server and nothing in it. */
export function redisConfig(
  mode: RedisConfig['mode'],
  addresses: string[],
  over: Partial<RedisConfig> = {},
): RedisConfig {
  return {
    type: 'redis',
    mode,
    addresses,
    sentinelName: 'mymaster',
    tls: false,
    prefix: `t${process.pid.toString(36)}-${prefixes++}`,
    connectTimeoutMs: 20_000,
    commandTimeoutMs: 10_000,
    ...over,
  };
}

export { domainList, type WeightedAddress } from './addresses.js';
export { changedSettings } from './changes.js';
export { CurrentConfig } from './current.js';
export { ConfigError, type ConfigProblem } from './errors.js';
export { type HeartbeatBounds, heartbeatBounds } from './heartbeat-bounds.js';
export { configJsonSchema, configJsonSchemaText } from './json-schema.js';
export { loadConfig, type ParseOptions, parseConfig } from './load.js';
export { environmentOverrides, flagOverride, type Override } from './overrides.js';
export {
  type AccessListenerConfig,
  type AppConfig,
  type BusinessConfig,
  type ConfigInput,
  configSchema,
  type DownstreamConfig,
  type EngineConfig,
  type ListenerConfig,
  type NodeConfig,
  type RedisConfig,
  type SecureListenerConfig,
  type UpstreamConfig,
} from './schema.js';
export { type CrossCheck, checkYaml } from './yaml-text.js';

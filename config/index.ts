export { ConfigError, type ConfigProblem } from './errors.js';
export { loadConfig, type ParseOptions, parseConfig } from './load.js';
export {
  type AppConfig,
  type BusinessConfig,
  type ConfigInput,
  configSchema,
  type DownstreamConfig,
  type ListenerConfig,
  type NodeConfig,
  type UpstreamConfig,
} from './schema.js';

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

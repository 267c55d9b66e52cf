export { assertDevice } from './assertion.js';
export { BackEndFailedError, BackEndProcess, type BackEndProcessOptions } from './back-end-process.js';
export { createCertificate, type DemoCertificate } from './certificate.js';
export {
  createDemoConfig,
  createDemoKeys,
  DEMO_APP,
  DEMO_DEVICE_PREFIX,
  DEMO_ROOM,
  type DemoConfigOptions,
  type DemoKeys,
} from './config.js';
export { type ConnectOptions, connectCommand } from './connect-command.js';
export { type CurlCommand, type CurlOptions, curlCommands } from './curl-commands.js';
export { DemoDevice, type DemoDeviceOptions } from './device.js';
export { PageServer, type PageSettings } from './page-server.js';
export {
  checkPortsFree,
  DEFAULT_PORT_BASE,
  type DemoPorts,
  MAX_PORT_BASE,
  PortTakenError,
  portsFrom,
} from './ports.js';
export { PROTOCOLS } from './way-in.js';

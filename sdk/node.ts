/** The client for Node: TCP, and WebSocket with the runtime's own class. */
import { TrunklineClient } from './client.js';
import type { TrunklineClientOptions } from './options.js';
import type { Connectors } from './transports/connector.js';
import { tcpConnector } from './transports/tcp-connector.js';
import { webSocketConnector } from './transports/websocket-connector.js';

export * from './index.js';
export { tcpConnector };

export interface NodeClientOptions extends Omit<TrunklineClientOptions, 'transports'> {
  /** TCP and WebSocket by default; the control layer's order decides. */
  readonly transports?: Connectors | undefined;
}

export function createClient(options: NodeClientOptions): TrunklineClient {
  return new TrunklineClient({
    ...options,
    attributes: { platform: 'node', ...options.attributes },
    transports: options.transports ?? { tcp: tcpConnector, ws: webSocketConnector(WebSocket) },
  });
}

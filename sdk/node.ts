/** The client for Node: TCP and TLS, and WebSocket with the runtime's own class. */
import { TrunklineClient } from './client.js';
import type { TrunklineClientOptions } from './options.js';
import type { Connectors } from './transports/connector.js';
import { webSocketTrusting } from './transports/node-websocket.js';
import { tcpConnector } from './transports/tcp-connector.js';
import { type TlsConnectorOptions, tlsConnector } from './transports/tls-connector.js';
import { webSocketConnector } from './transports/websocket-connector.js';

export * from './index.js';
export { type TlsConnectorOptions, tcpConnector, tlsConnector };

export interface NodeClientOptions extends Omit<TrunklineClientOptions, 'transports'> {
  /** TCP, TLS and WebSocket, plain and secure, by default; the control layer's order decides. */
  readonly transports?: Connectors | undefined;
  /** Certificates (PEM) that the default transports trust instead of the platform's. */
  readonly ca?: string | readonly string[] | undefined;
}

export function createClient({ ca, ...options }: NodeClientOptions): TrunklineClient {
  return new TrunklineClient({
    ...options,
    attributes: { platform: 'node', ...options.attributes },
    transports: options.transports ?? nodeTransports(ca),
  });
}

/** Every way in that Node has, by protocol. @param ca certificates (PEM) to trust instead of the platform's */
export function nodeTransports(ca?: NodeClientOptions['ca']): Connectors {
  const webSocket = webSocketConnector(WebSocket);
  return {
    tls: tlsConnector({ ca }),
    tcp: tcpConnector,
    wss: ca === undefined ? webSocket : webSocketConnector(webSocketTrusting(ca)),
    ws: webSocket,
  };
}

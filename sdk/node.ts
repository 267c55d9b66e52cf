/** The client for Node: TCP and TLS, WebSocket with the runtime's own class, and QUIC where its package is installed. */
import { networkInterfaces } from 'node:os';
import { TrunklineClient } from './client.js';
import type { TrunklineClientOptions } from './options.js';
import type { Connectors } from './transports/connector.js';
import { webSocketTrusting } from './transports/node-websocket.js';
import { canConnectQuic, type QuicConnectorOptions, quicConnector } from './transports/quic-connector.js';
import { tcpConnector } from './transports/tcp-connector.js';
import { type TlsConnectorOptions, tlsConnector } from './transports/tls-connector.js';
import { webSocketConnector } from './transports/websocket-connector.js';

export { fileStorage } from './file-storage.js';
export * from './index.js';
export {
  canConnectQuic,
  type QuicConnectorOptions,
  quicConnector,
  type TlsConnectorOptions,
  tcpConnector,
  tlsConnector,
};

export interface NodeClientOptions extends Omit<TrunklineClientOptions, 'transports'> {
  /** QUIC if it can be had, TCP, TLS and WebSocket, plain and secure, by default; the control layer's order decides. */
  readonly transports?: Connectors | undefined;
  /** Certificates (PEM) that the default transports trust instead of the platform's. */
  readonly ca?: string | readonly string[] | undefined;
}

export function createClient({ ca, ...options }: NodeClientOptions): TrunklineClient {
  return new TrunklineClient({
    ...options,
    attributes: { platform: 'node', ...options.attributes },
    transports: options.transports ?? nodeTransports(ca),
    networkName: options.networkName ?? localNetworks,
  });
}

/** Node does not say which network it is in; the machine's addresses there tell one from another. */
function localNetworks(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((of = []) => of);
  const outer = addresses.filter(({ internal, family }) => !internal && family === 'IPv4');
  return outer.map(({ cidr }) => cidr).join();
}

/** Every way in that Node has, by protocol. @param ca certificates (PEM) to trust instead of the platform's */
export function nodeTransports(ca?: NodeClientOptions['ca']): Connectors {
  const webSocket = webSocketConnector(WebSocket);
  return {
    ...(canConnectQuic() ? { quic: quicConnector({ ca }) } : {}),
    tls: tlsConnector({ ca }),
    tcp: tcpConnector,
    wss: ca === undefined ? webSocket : webSocketConnector(webSocketTrusting(ca)),
    ws: webSocket,
  };
}

/**
 * Links over TLS, for Node. The last session of each address is kept in memory and resumed, which spares both sides the
 * costly half of the handshake after a reconnect.
 */
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { Connector } from './connector.js';
import { brokenLink, parseHostPort, socketLink } from './socket-link.js';

const ALPN_PROTOCOL = 'trunkline/1';
/** Addresses whose session is remembered; a client has few. */
const MAX_SESSIONS = 16;

export interface TlsConnectorOptions {
  /** Certificates (PEM) to trust instead of the platform's. */
  readonly ca?: string | readonly string[] | undefined;
}

/** The server's certificate is always checked, against the host of the access point. */
export function tlsConnector({ ca }: TlsConnectorOptions = {}): Connector {
  const sessions = new Map<string, Buffer>();
  return (address, handlers) => {
    const target = parseHostPort(address);
    if (target === undefined) return brokenLink(new Error(`not host:port: ${address}`), handlers);
    const session = sessions.get(address);
    const socket = connect({
      ...target,
      ALPNProtocols: [ALPN_PROTOCOL],
      ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
      ...(ca === undefined ? {} : { ca: [ca].flat() as string[] }),
      ...(session === undefined ? {} : { session }),
    });
    socket.setNoDelay(true);
    socket.on('session', (fresh) => {
      if (sessions.size >= MAX_SESSIONS && !sessions.has(address)) sessions.clear();
      sessions.set(address, fresh);
    });
    // Whatever went wrong, the next attempt is a full handshake.
    socket.on('error', () => sessions.delete(address));
    return socketLink(socket, 'secureConnect', handlers);
  };
}

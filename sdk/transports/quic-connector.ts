/**
 * Links over QUIC, for Node, where the optional package `@matrixai/quic` is installed. Everything that knows the library
 * is in `quic/`. The last TLS session of each address is kept in memory and resumed.
 */
import { lookup } from 'node:dns/promises';
import type { Connector, Link, LinkHandlers } from './connector.js';
import { createClientConfig } from './quic/client-config.js';
import { QuicLink } from './quic/quic-link.js';
import { hasQuiche, loadQuiche } from './quic/quiche.js';
import { brokenLink, parseHostPort } from './socket-link.js';

/** Addresses whose session is remembered; a client has few. */
const MAX_SESSIONS = 16;

export interface QuicConnectorOptions {
  /** Certificates (PEM) to trust instead of the platform's. */
  readonly ca?: string | readonly string[] | undefined;
}

/** The server's certificate is always checked, against the host of the access point. Experimental. */
export function quicConnector({ ca }: QuicConnectorOptions = {}): Connector {
  const sessions = new Map<string, Uint8Array>();
  const prepared = once(async () => {
    const quiche = await loadQuiche();
    return { quiche, config: createClientConfig(quiche, ca) };
  });
  return (accessPoint, handlers) => {
    const target = parseHostPort(accessPoint);
    if (target === undefined) return brokenLink(new Error(`not host:port: ${accessPoint}`), handlers);
    return pendingLink(handlers, async (link) => {
      const [{ quiche, config }, { address }] = await Promise.all([prepared(), lookup(target.host)]);
      const session = sessions.get(accessPoint);
      // Whatever goes wrong, the next attempt is a full handshake.
      sessions.delete(accessPoint);
      const onSession = (fresh: Uint8Array): void => {
        if (sessions.size >= MAX_SESSIONS) sessions.clear();
        sessions.set(accessPoint, fresh);
      };
      return new QuicLink(quiche, config, { ...target, address, session, onSession }, link);
    });
  };
}

/** Whether links over QUIC can be opened here. */
export function canConnectQuic(): boolean {
  return hasQuiche();
}

/** A link that takes a while to be made, because names and libraries are looked up first. */
function pendingLink(handlers: LinkHandlers, open: (handlers: LinkHandlers) => Promise<Link>): Link {
  let link: Link | undefined;
  let isClosed = false;
  open(handlers).then(
    (opened) => {
      link = opened;
      if (isClosed) opened.close();
    },
    (error) => isClosed || handlers.onClose(error as Error),
  );
  return {
    send: (bytes) => link?.send(bytes),
    close() {
      isClosed = true;
      link?.close();
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

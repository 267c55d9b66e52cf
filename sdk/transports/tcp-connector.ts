/** Links over plain TCP, for Node. */
import { connect } from 'node:net';
import type { Connector } from './connector.js';
import { brokenLink, parseHostPort, socketLink } from './socket-link.js';

export const tcpConnector: Connector = (address, handlers) => {
  const target = parseHostPort(address);
  if (target === undefined) return brokenLink(new Error(`not host:port: ${address}`), handlers);
  return socketLink(connect({ ...target, noDelay: true }), 'connect', handlers);
};

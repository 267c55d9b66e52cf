/** From an address and the node's settings to a listener of the right kind. */
import {
  type Listener,
  type ListenerOptions,
  QuicListener,
  type QuicListenerOptions,
  type SecureMaterial,
  TcpListener,
  TlsListener,
  WebSocketListener,
} from '../transports/index.js';
import type { ListenAt } from './worker-settings.js';

/** What only QUIC needs: who shares the port, and its bounds. */
export type QuicSettings = Pick<QuicListenerOptions, 'worker' | 'workers' | 'idleMs' | 'memoryBytes'>;

/** @param quic must be there when the protocol is `quic` */
export function createListener({ protocol }: ListenAt, options: ListenerOptions, quic?: QuicSettings): Listener {
  switch (protocol) {
    case 'tcp':
      return new TcpListener(options);
    case 'tls':
      return new TlsListener(secured(options));
    case 'ws':
      return new WebSocketListener(options);
    case 'wss':
      return new WebSocketListener(secured(options));
    case 'quic':
      if (quic === undefined) throw new Error('a QUIC listener needs its settings');
      return new QuicListener(Object.assign(secured(options), quic));
  }
}

function secured(options: ListenerOptions): ListenerOptions & { readonly secure: SecureMaterial } {
  if (options.secure === undefined) throw new Error('a listener that speaks TLS needs a certificate');
  // Not a copy, because some options are read when they are needed.
  return options as ListenerOptions & { readonly secure: SecureMaterial };
}

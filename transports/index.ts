export { RAW_ENVELOPE, WEBSOCKET_ENVELOPE } from './envelopes.js';
export { MemoryTransport } from './memory-transport.js';
export { TcpListener } from './tcp-listener.js';
export type {
  AccessProtocol,
  Envelope,
  Listener,
  ListenerOptions,
  Transport,
  TransportHandler,
} from './transport.js';
export { SUBPROTOCOL, WEBSOCKET_PATH, WebSocketListener } from './websocket-listener.js';

export { RAW_ENVELOPE, WEBSOCKET_ENVELOPE } from './envelopes.js';
export { MemoryTransport } from './memory-transport.js';
export { loadQuiche, QuicListener, type QuicListenerOptions, QuicUnavailableError } from './quic/index.js';
export { TcpListener } from './tcp-listener.js';
export { TlsListener } from './tls-listener.js';
export {
  ACCESS_PROTOCOLS,
  type AccessProtocol,
  type AdmissionRefusal,
  type Envelope,
  type LinkCounter,
  type LinkGate,
  type LinkRefusal,
  type Listener,
  type ListenerOptions,
  SECURE_PROTOCOLS,
  type SecureMaterial,
  type SecureProtocol,
  type Transport,
  type TransportHandler,
} from './transport.js';
export { SUBPROTOCOL, WEBSOCKET_PATH, WebSocketListener } from './websocket-listener.js';

export { loadQuiche, QuicUnavailableError } from './native.js';
export { QuicListener, type QuicListenerOptions } from './quic-listener.js';

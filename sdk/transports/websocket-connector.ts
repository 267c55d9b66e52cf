/**
 * Links over WebSocket, with whatever standard `WebSocket` class the platform or the application supplies, so
 * that the core names no global and runs in any environment.
 */
import { CloseCode } from '../../protocol/index.js';
import type { Connector, LinkHandlers } from './connector.js';

/** Offered at the upgrade; the server accepts no other. */
export const WEBSOCKET_SUBPROTOCOL = 'trunkline.v1';

const OPEN = 1;
/** RFC 6455, section 7.4.1. */
const MESSAGE_TOO_BIG = 1009;

/** The part of the standard `WebSocket` that is used. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string) => WebSocketLike;

export function webSocketConnector(WebSocketClass: WebSocketConstructor): Connector {
  return (address, handlers) => {
    let socket: WebSocketLike;
    try {
      socket = new WebSocketClass(address, WEBSOCKET_SUBPROTOCOL);
    } catch (error) {
      // A URL it cannot parse, or plain `ws:` from a secure page.
      queueMicrotask(() => handlers.onClose(error as Error));
      return { send() {}, close() {} };
    }
    attach(socket, handlers);
    return {
      send(bytes) {
        if (socket.readyState === OPEN) socket.send(bytes as Uint8Array<ArrayBuffer>);
      },
      close() {
        detach(socket);
        socket.close();
      },
    };
  };
}

function attach(socket: WebSocketLike, handlers: LinkHandlers): void {
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => handlers.onOpen();
  socket.onmessage = (event: { data: unknown }) => {
    if (event.data instanceof ArrayBuffer) return handlers.onBytes(new Uint8Array(event.data));
    // Text is not part of the protocol; without this it would be silence.
    detach(socket);
    socket.close();
    handlers.onClose(new Error('the server sent a text message'));
  };
  socket.onclose = (event: { code: number; reason: string }) => {
    detach(socket);
    const error = new Error(`WebSocket closed ${event.code} ${event.reason}`.trimEnd());
    handlers.onClose(error, protocolCode(event.code));
  };
}

/** A server that could not send CLOSE puts its code here; 1009 is how a WebSocket says that a message is too large. */
function protocolCode(code: number): number | undefined {
  if (code === MESSAGE_TOO_BIG) return CloseCode.frameTooLarge;
  return code >= 4000 && code <= 4999 ? code : undefined;
}

/** Late events must find nobody; `onerror` stays taken, as some implementations throw an unheard error. */
function detach(socket: WebSocketLike): void {
  socket.onopen = null;
  socket.onmessage = null;
  socket.onclose = null;
  socket.onerror = () => {};
}

/** The WebSocket class of Node that trusts certificates of one's own, which the global one cannot be told. */
import { Agent, WebSocket } from 'undici';
import type { WebSocketConstructor } from './websocket-connector.js';

/** @param ca certificates (PEM) to trust instead of the platform's */
export function webSocketTrusting(ca: string | readonly string[]): WebSocketConstructor {
  const dispatcher = new Agent({ connect: { ca: [ca].flat() as string[] } });
  return class extends WebSocket {
    constructor(url: string, protocols: string) {
      super(url, { protocols, dispatcher });
    }
  } as unknown as WebSocketConstructor;
}

/** The client that a shared worker makes: WebSocket only, and the worker's own word on when the network is back. */
import { TrunklineClient } from '../client.js';
import { webSocketConnector } from '../index.js';
import type { SharedSettings } from './shared-settings.js';
import type { HubCallbacks } from './tab-hub.js';

/** @throws {InvalidOptionError} names the option */
export function createWorkerClient(settings: SharedSettings, callbacks: HubCallbacks): TrunklineClient {
  const { asks: _, protocols, ...options } = settings;
  const webSocket = webSocketConnector(WebSocket);
  return new TrunklineClient({
    ...options,
    ...callbacks,
    transports: Object.fromEntries(protocols.map((protocol) => [protocol, webSocket])),
  });
}

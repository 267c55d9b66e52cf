/**
 * Which protocols a client is told of, in which order. Encrypted goes before plain; then raw bytes go before WebSocket,
 * since they cost the least on both sides. A browser speaks WebSocket only, and is not told of anything else.
 */
import { ACCESS_PROTOCOLS, type AccessProtocol } from '../cluster/index.js';

const PLATFORM_ATTRIBUTE = 'platform';
const WEB_PLATFORM = 'web';

/** @param attributes what the client says of itself; `platform` counts */
export function clientProtocols(attributes: Readonly<Record<string, string>>): readonly AccessProtocol[] {
  return attributes[PLATFORM_ATTRIBUTE] === WEB_PLATFORM ? ACCESS_PROTOCOLS.filter(isWebSocket) : ACCESS_PROTOCOLS;
}

export function isWebSocket(protocol: AccessProtocol): boolean {
  return protocol === 'ws' || protocol === 'wss';
}

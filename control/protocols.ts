/**
 * Which protocols a client is told of, in which order. Encrypted goes before plain; then raw bytes go before WebSocket,
 * since they cost the least on both sides. A browser speaks WebSocket only, and is not told of anything else.
 */
import { ACCESS_PROTOCOLS, type AccessProtocol } from '../cluster/index.js';

const PLATFORM_ATTRIBUTE = 'platform';
const WEB_PLATFORM = 'web';

/**
 * @param attributes what the client says of itself; `platform` counts
 * @param wanted a policy's order, and nothing beside it; when a browser speaks none of it, its own order stays
 */
export function clientProtocols(
  attributes: Readonly<Record<string, string>>,
  wanted: readonly AccessProtocol[] = ACCESS_PROTOCOLS,
): readonly AccessProtocol[] {
  if (attributes[PLATFORM_ATTRIBUTE] !== WEB_PLATFORM) return wanted;
  const spoken = wanted.filter(isWebSocket);
  return spoken.length === 0 ? ACCESS_PROTOCOLS.filter(isWebSocket) : spoken;
}

export function isWebSocket(protocol: AccessProtocol): boolean {
  return protocol === 'ws' || protocol === 'wss';
}

/**
 * Where a client connects, and with which protocol first, judged by its attributes. Encrypted goes before plain; then
 * raw bytes go before WebSocket, since they cost the least on both sides. A browser speaks WebSocket only, and is not
 * told of anything else.
 */
import { ACCESS_PROTOCOLS, type AccessAddresses, type AccessProtocol } from '../cluster/index.js';
import { NoAccessPointError } from './errors.js';

export interface AccessChoice {
  /** Per protocol, addresses in the order to try: `host:port` for tcp and tls, a URL for ws and wss. */
  readonly accessPoints: Readonly<Partial<Record<AccessProtocol, readonly string[]>>>;
  /** In the order to try. */
  readonly protocols: readonly AccessProtocol[];
}

const WEBSOCKET_PATH = '/connect';
const WEB_PLATFORM = 'web';

/**
 * @param points as the node advertises them
 * @param attributes what the client says of itself; `platform` counts
 * @throws {NoAccessPointError}
 */
export function chooseAccess(points: AccessAddresses, attributes: Readonly<Record<string, string>>): AccessChoice {
  const isWeb = attributes['platform'] === WEB_PLATFORM;
  const choice = ACCESS_PROTOCOLS.flatMap((protocol) => {
    const address = points[protocol];
    const isWebSocket = protocol === 'ws' || protocol === 'wss';
    if (address === undefined || (isWeb && !isWebSocket)) return [];
    return [[protocol, [isWebSocket ? `${protocol}://${address}${WEBSOCKET_PATH}` : address]] as const];
  });
  if (choice.length === 0) throw new NoAccessPointError();
  return { accessPoints: Object.fromEntries(choice), protocols: choice.map(([protocol]) => protocol) };
}

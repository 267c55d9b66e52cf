/**
 * Where a client connects, and with which protocol first, judged by its attributes. TCP costs the least on both
 * sides and goes first; a browser speaks WebSocket only, and is not told of anything else.
 */
import type { NodeView } from '../cluster/index.js';
import { NoAccessPointError } from './errors.js';

export type AccessProtocol = 'tcp' | 'ws';

export interface AccessChoice {
  /** Per protocol, addresses in the order to try: `host:port` for tcp, a URL for ws. */
  readonly accessPoints: { readonly tcp?: readonly string[]; readonly ws?: readonly string[] };
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
export function chooseAccess(
  points: ReturnType<NodeView['accessPoints']>,
  attributes: Readonly<Record<string, string>>,
): AccessChoice {
  const tcp = attributes['platform'] === WEB_PLATFORM ? undefined : points.tcp;
  const { ws } = points;
  const protocols: AccessProtocol[] = [];
  if (tcp !== undefined) protocols.push('tcp');
  if (ws !== undefined) protocols.push('ws');
  if (protocols.length === 0) throw new NoAccessPointError();
  return {
    accessPoints: {
      ...(tcp === undefined ? {} : { tcp: [tcp] }),
      ...(ws === undefined ? {} : { ws: [`ws://${ws}${WEBSOCKET_PATH}`] }),
    },
    protocols,
  };
}

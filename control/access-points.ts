/** Where a client connects, and with which protocol first: the addresses of the nodes that were chosen for it. */
import type { AccessProtocol } from '../cluster/index.js';
import { NoAccessPointError, NotReadyError } from './errors.js';
import type { NodeChoice } from './node-choice.js';
import { isWebSocket } from './protocols.js';

export interface AccessChoice {
  /** Per protocol, addresses in the order to try: `host:port` for tcp, tls and quic, a URL for ws and wss. */
  readonly accessPoints: Readonly<Partial<Record<AccessProtocol, readonly string[]>>>;
  /** In the order to try. */
  readonly protocols: readonly AccessProtocol[];
}

const WEBSOCKET_PATH = '/connect';

/**
 * A region's domains stand in place of its nodes, once.
 *
 * @throws {NoAccessPointError} nodes take clients, in no protocol that this one speaks
 * @throws {NotReadyError} no node takes clients where this one may go
 */
export function accessPointsOf(choice: NodeChoice): AccessChoice {
  const chosen = choice.rounds.map(({ taken }) => taken);
  const offered = choice.protocols.flatMap((protocol) => {
    const addresses = chosen.flatMap(({ region, accessPoints }) => {
      return choice.domains.get(region)?.[protocol] ?? accessPoints[protocol] ?? [];
    });
    return addresses.length === 0 ? [] : [[protocol, [...new Set(addresses)]] as const];
  });
  if (offered.length === 0) throw refusal(choice);
  return {
    accessPoints: Object.fromEntries(
      offered.map(([protocol, addresses]) => [
        protocol,
        isWebSocket(protocol) ? addresses.map((address) => `${protocol}://${address}${WEBSOCKET_PATH}`) : addresses,
      ]),
    ),
    protocols: offered.map(([protocol]) => protocol),
  };
}

function refusal({ nodes }: NodeChoice): Error {
  return nodes.some(({ leftOut }) => leftOut === 'no-protocol') ? new NoAccessPointError() : new NotReadyError();
}

/** How quiche is set up for a client: one stream, the server's certificate always checked, no 0-RTT. */
import { getCACertificates } from 'node:tls';
import type { Config } from '@matrixai/quic/native/types.js';
import type { Quiche } from './quiche.js';

const ALPN_PROTOCOL = 'trunkline/1';
/** Fits the least MTU of IPv6. */
export const MAX_DATAGRAM_BYTES = 1_232;
const MAX_RECEIVED_DATAGRAM_BYTES = 1_500;
/** Of ours, one for each address that the server may see; of the server's, as many as it likes. */
const IDS = 8;
const STREAM_WINDOW_BYTES = 256 * 1024;
/** As the server keeps what is under way, and a record of it for the life of the connection: decision 0095. */
const MAX_STREAM_WINDOW_BYTES = 256 * 1024;
/** The server's is shorter or longer; heartbeats are below both. */
const IDLE_MS = 600_000;

/** @param ca PEM; the platform's certificates when absent */
export function createClientConfig(quiche: Quiche, ca: string | readonly string[] | undefined): Config {
  const trusted = ca === undefined ? getCACertificates('default') : [ca].flat();
  const config = quiche.Config.withBoringSslCtx(true, false, Buffer.from(trusted.join('\n')));
  config.setApplicationProtos([ALPN_PROTOCOL]);
  config.setMaxIdleTimeout(IDLE_MS);
  config.setMaxSendUdpPayloadSize(MAX_DATAGRAM_BYTES);
  config.setMaxRecvUdpPayloadSize(MAX_RECEIVED_DATAGRAM_BYTES);
  config.setInitialMaxData(STREAM_WINDOW_BYTES);
  config.setInitialMaxStreamDataBidiLocal(STREAM_WINDOW_BYTES);
  config.setInitialMaxStreamDataBidiRemote(0);
  config.setInitialMaxStreamDataUni(0);
  config.setInitialMaxStreamsBidi(0);
  config.setInitialMaxStreamsUni(0);
  config.setMaxStreamWindow(MAX_STREAM_WINDOW_BYTES);
  config.setMaxConnectionWindow(MAX_STREAM_WINDOW_BYTES);
  config.setActiveConnectionIdLimit(IDS);
  config.setDisableActiveMigration(false);
  config.enablePacing(false);
  return config;
}

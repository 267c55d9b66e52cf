/**
 * How quiche is set up for the server. The windows are what a connection may make us keep: one stream, 64 KiB of it at
 * first, and at most 256 KiB once the peer has shown that it fills them. 0-RTT stays off: what is sent in it can be
 * replayed, and a CONNECT with a token is the last thing to be.
 */
import type { SecureMaterial } from '../transport.js';
import type { Quiche, QuicheConfig } from './native.js';

/** In ALPN; a client that offers no other gets no connection. */
export const ALPN_PROTOCOL = 'trunkline/1';

/** Fits the least MTU of IPv6, so every path carries it: 1,280 less 40 of IPv6 and 8 of UDP. */
export const MAX_DATAGRAM_BYTES = 1_232;
const MAX_RECEIVED_DATAGRAM_BYTES = 1_500;
const STREAM_WINDOW_BYTES = 64 * 1024;
const MAX_STREAM_WINDOW_BYTES = 256 * 1024;
/**
 * Addresses that one connection may come from, one after the other: quiche 0.18 keeps them all, with an id of the client's
 * for each, and lets none of them go reliably.
 */
export const MAX_PATHS = 8;

/** The signature algorithms that BoringSSL knows and that are still trusted. */
const SIGNATURES = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ed25519',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
].join(':');

/** @throws when BoringSSL cannot use the certificate */
export function createServerConfig(quiche: Quiche, material: SecureMaterial, idleMs: number): QuicheConfig {
  const { cert, key, ticketKeys } = material;
  const config = quiche.Config.withBoringSslCtx(
    false,
    false,
    null,
    [Buffer.from(key)],
    [Buffer.from(cert)],
    SIGNATURES,
  );
  config.setTicketKey(ticketKeys);
  config.setApplicationProtos([ALPN_PROTOCOL]);
  config.grease(false);
  config.setMaxIdleTimeout(idleMs);
  config.setMaxSendUdpPayloadSize(MAX_DATAGRAM_BYTES);
  config.setMaxRecvUdpPayloadSize(MAX_RECEIVED_DATAGRAM_BYTES);
  config.setInitialMaxData(STREAM_WINDOW_BYTES);
  config.setInitialMaxStreamDataBidiRemote(STREAM_WINDOW_BYTES);
  config.setInitialMaxStreamDataBidiLocal(0);
  config.setInitialMaxStreamDataUni(0);
  config.setInitialMaxStreamsBidi(1);
  config.setInitialMaxStreamsUni(0);
  config.setMaxStreamWindow(MAX_STREAM_WINDOW_BYTES);
  config.setMaxConnectionWindow(MAX_STREAM_WINDOW_BYTES);
  config.setActiveConnectionIdLimit(MAX_PATHS);
  config.setDisableActiveMigration(false);
  config.enablePacing(false);
  return config;
}

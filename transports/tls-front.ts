/**
 * TLS in front of a listener: how it is set up, and how a link gets there.
 *
 * A link is given to OpenSSL when its first bytes are here, not at the accept. Until then it costs what a plain socket
 * costs, so half-open links are cheap; and what is no TLS at all never gets that far. It also decides what a connection
 * costs for all its life: Node makes the buffer for incoming bytes as long as the first piece it is offered, which is 64
 * KiB when the kernel offers it and 1 KiB when it is read in such pieces. See docs/decisions/0011-tls-memory.md.
 */
import { constants } from 'node:crypto';
import { Socket } from 'node:net';
import type { Server, TlsOptions } from 'node:tls';
import type { SecureMaterial } from './transport.js';

/** What a client may ask for in ALPN on a `tls` listener; one that asks for nothing is served as well. */
export const ALPN_PROTOCOL = 'trunkline/1';

/** One less than Node's least buffer for incoming bytes: one that is filled to its end gets a second, of 16 KiB. */
const PIECE_BYTES = 1_023;
/** The first byte of every TLS connection: a handshake record. */
const HANDSHAKE_RECORD = 0x16;
/** How long a session may be resumed; the ticket keys are renewed less often. */
const SESSION_SECONDS = 2 * 3_600;

const NEVER_MS = 24 * 3_600_000;

/** Forward secret and authenticated, all of them. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** X25519MLKEM768 is left out: it keeps 6 KiB for every connection as long as that lives. */
const GROUPS = ['X25519', 'P-256', 'P-384'];

export function tlsOptions({ cert, key, ticketKeys }: SecureMaterial): TlsOptions {
  return {
    cert,
    key,
    ticketKeys: Buffer.from(ticketKeys),
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS.join(':'),
    ecdhCurve: GROUPS.join(':'),
    honorCipherOrder: true,
    // A phone without AES in hardware puts ChaCha20 first, and gets it.
    secureOptions: constants.SSL_OP_PRIORITIZE_CHACHA | constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: 'trunkline',
    sessionTimeout: SESSION_SECONDS,
    // The acceptor is earlier, and ends the link whatever it waits for.
    handshakeTimeout: NEVER_MS,
  };
}

/** @param refuse the first byte is not that of a TLS connection */
export function handToTls(socket: Socket, server: Server, refuse: () => void): void {
  const onReadable = (): void => {
    // At the end of a link that never said anything there is nothing to read.
    if (socket.readableLength === 0) return;
    socket.off('readable', onReadable);
    const bytes = socket.read() as Buffer;
    if (bytes[0] !== HANDSHAKE_RECORD) return refuse();
    socket.unshift(bytes);
    socket.read = readPiece;
    server.emit('connection', socket);
    socket.off('error', ignore);
    // TLS reads what is there in the next tick, which it has asked for by now.
    process.nextTick(() => {
      // Not deleted: an object that lost a property becomes a hash table, which takes 2 KiB more.
      socket.read = Socket.prototype.read;
    });
  };
  socket.on('error', ignore);
  socket.on('readable', onReadable);
}

function readPiece(this: Socket): unknown {
  const bytes = Math.min(this.readableLength, PIECE_BYTES);
  return bytes === 0 ? null : Socket.prototype.read.call(this, bytes);
}

/** A reset is an ordinary end; 'close' follows. */
function ignore(): void {}

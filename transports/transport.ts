/**
 * The connection layer's contract: a byte pipe to one peer. A transport knows nothing of frames; what it does
 * know is its envelope, how bytes are put on this kind of wire. Wrapping is apart from writing so that a
 * multicast is wrapped once and the same bytes are written to every member.
 */

/** Kinds of wire, and the index of a kind in per-envelope caches. */
export interface Envelope {
  readonly index: number;
  /** Whether every delivery to `onBytes` must hold whole frames, as a WebSocket message does. */
  readonly wholeFrames: boolean;
  /** Bytes as the wire wants them; may return `bytes` itself. */
  wrap(bytes: Uint8Array): Uint8Array;
}

/** In the order in which a client should try them, where it can speak several. */
export const ACCESS_PROTOCOLS = ['quic', 'tls', 'wss', 'tcp', 'ws'] as const;
export type AccessProtocol = (typeof ACCESS_PROTOCOLS)[number];
/** Those that need a certificate. */
export const SECURE_PROTOCOLS = ['quic', 'tls', 'wss'] as const;
export type SecureProtocol = (typeof SECURE_PROTOCOLS)[number];

/** The session's half: what a transport tells its owner. None of these is called after `onClose`. */
export interface TransportHandler {
  /** @param bytes as they came: any length, split anywhere, unless the envelope says `wholeFrames` */
  onBytes(bytes: Uint8Array): void;
  /** What was asked for with `notifyDrain`: the kernel has taken everything written before. */
  onDrain(): void;
  /** The peer broke the wire's own rules (a text message on a binary WebSocket). */
  onViolation(detail: string): void;
  /** The link is gone; once. */
  onClose(): void;
}

export interface Transport {
  readonly protocol: AccessProtocol;
  /** The peer's IP address; behind a PROXY protocol header, the one that the proxy names. */
  readonly remoteAddress: string;
  readonly envelope: Envelope;
  /**
   * Bytes written that the kernel has not taken yet. Never 0 on a link that takes no more, although its
   * `onClose` may still be to come: whoever waits for 0 must not think that its last write has left.
   */
  readonly writableBytes: number;
  /** Whoever owns the link now; replaced once, when the login succeeded. */
  handler: TransportHandler;
  /** Writes wire bytes, made by `envelope.wrap`, in one system call where the kernel takes them; none after `close`. */
  write(wire: Uint8Array): void;
  /**
   * Writes if nothing written before waits for the kernel: one call for the members of a fan-out, who mostly have
   * nothing waiting. @returns whether it wrote
   */
  writeIfIdle(wire: Uint8Array): boolean;
  /** Asks for one `onDrain`. */
  notifyDrain(): void;
  /** Raises the largest message a peer may send, where the wire itself has messages. */
  allowMessageBytes(maxBytes: number): void;
  /** Finishes politely what was written, then closes; a peer that does not follow is cut off. */
  close(code: number, reason: string): void;
  /** Cuts the link now. */
  destroy(): void;
}

/** Why a link may not come in: too many links a second, too many on the node, too many from its address. */
export type AdmissionRefusal = 'rate' | 'node-full' | 'ip-full';

/**
 * Why a link was cut off before it had a transport. `proxy`: a PROXY protocol header that is missing, malformed or from
 * a peer that is not believed. `tls`: a TLS handshake that failed. `quic`: a QUIC handshake that failed, or a peer that
 * broke QUIC's rules before it sent any data. `memory`: a QUIC worker has its memory spent. `timeout`: header, TLS or QUIC
 * handshake or HTTP upgrade took too long.
 */
export type LinkRefusal = AdmissionRefusal | 'proxy' | 'tls' | 'quic' | 'memory' | 'timeout';

/** Whether one more link may come in; asked once its true address is known, before anything is spent on it. */
export interface LinkGate {
  /** @returns a ticket to give back when the link has ended, or why it is refused */
  admit(remoteAddress: string): number | AdmissionRefusal;
  release(ticket: number): void;
}

/** What a listener counts. */
export interface LinkCounter {
  refused(reason: LinkRefusal): void;
  /** A TLS handshake succeeded. */
  secured(isResumed: boolean): void;
}

/** What a `quic`, `tls` or `wss` listener shows and keeps secret. */
export interface SecureMaterial {
  /** PEM, the chain from the server's own certificate up. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** 48 bytes, the same on every thread, so that a session resumes on whichever the kernel chooses. */
  readonly ticketKeys: Uint8Array;
}

export interface ListenerOptions {
  readonly host: string;
  /** Never 0: the node resolves it first, so that all workers share one port. */
  readonly port: number;
  /** Share the port with the other access workers. */
  readonly reusePort: boolean;
  readonly gate: LinkGate;
  readonly counter: LinkCounter;
  /** Where it stands, every link begins with a PROXY protocol header, believed from these addresses and ranges only. */
  readonly proxyFrom?: readonly string[] | undefined;
  /** Of `quic`, `tls` and `wss`. */
  readonly secure?: SecureMaterial | undefined;
  /** A peer that has not finished the wire's own handshake by then is cut off. */
  readonly handshakeMs: number;
  /** A stranger's largest message, where the wire itself has messages. */
  readonly maxHandshakeBytes: number;
  /** Whether a page of this web origin may connect at all, where the wire tells; its app is known at the login only. */
  readonly isOriginAllowed: (origin: string) => boolean;
  /**
   * Takes ownership: sets `handler` before it returns.
   *
   * @param origin of the web page that connects; not in the transport, because nobody asks after the login
   */
  readonly onConnection: (transport: Transport, origin?: string) => void;
}

export interface Listener {
  readonly protocol: AccessProtocol;
  /** @throws the system's error, such as EADDRINUSE */
  start(): Promise<void>;
  /** Accepts nothing new; links that are open stay, those that are still in a handshake of the wire end. */
  stop(): Promise<void>;
  /**
   * Handshakes from now on use this; connections are left as they are. Does nothing where nothing is secure.
   *
   * @throws when the certificate cannot be used; the one before stays in use
   */
  renew(material: SecureMaterial): void;
}

/** How long a closed link may take to follow before it is cut off. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** `writableBytes` of a link that takes no more. */
export const NEVER_TAKEN_BYTES = 0x3fff_ffff;

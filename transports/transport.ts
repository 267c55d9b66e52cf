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

export type AccessProtocol = 'tcp' | 'ws';

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
  /** The peer's IP address. */
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
  /** Asks for one `onDrain`. */
  notifyDrain(): void;
  /** Raises the largest message a peer may send, where the wire itself has messages. */
  allowMessageBytes(maxBytes: number): void;
  /** Finishes politely what was written, then closes; a peer that does not follow is cut off. */
  close(code: number, reason: string): void;
  /** Cuts the link now. */
  destroy(): void;
}

export interface ListenerOptions {
  readonly host: string;
  /** Never 0: the node resolves it first, so that all workers share one port. */
  readonly port: number;
  /** Share the port with the other access workers. */
  readonly reusePort: boolean;
  /** A peer that has not finished the wire's own handshake by then is cut off. */
  readonly handshakeMs: number;
  /** A stranger's largest message, where the wire itself has messages. */
  readonly maxHandshakeBytes: number;
  /** Whether a page of this web origin may connect, where the wire tells. */
  readonly isOriginAllowed: (origin: string) => boolean;
  /** Takes ownership: sets `handler` before it returns. */
  readonly onConnection: (transport: Transport) => void;
}

export interface Listener {
  readonly protocol: AccessProtocol;
  /** @throws the system's error, such as EADDRINUSE */
  start(): Promise<void>;
  /** Accepts nothing new; links that are open stay. */
  stop(): Promise<void>;
}

/** How long a closed link may take to follow before it is cut off. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** `writableBytes` of a link that takes no more. */
export const NEVER_TAKEN_BYTES = 0x3fff_ffff;

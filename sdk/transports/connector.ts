/**
 * The SDK's transport contract: a connector opens one link and moves bytes over it, knowing nothing of frames.
 * A new transport is a new connector and a key in the client's `transports`.
 */

/** Names of protocols, as the bootstrap spells them. */
export type Protocol = 'quic' | 'tls' | 'wss' | 'tcp' | 'ws';

/** How far a link came before `onOpen`: name resolved, transport connected, encryption agreed. */
export type LinkPhase = 'resolved' | 'connected' | 'secured';

export interface LinkHandlers {
  /** Each phase at most once, in order; a connector tells what it can see, which may be nothing. */
  onPhase?(phase: LinkPhase): void;
  onOpen(): void;
  /** Any piece of the stream; the bytes stay untouched afterwards. */
  onBytes(bytes: Uint8Array): void;
  /**
   * The link ended or never opened. Once, and not after `close`.
   *
   * @param closeCode a close code of the protocol, where the link itself carried one
   */
  onClose(error?: Error, closeCode?: number): void;
}

export interface Link {
  /** Hands over whole frames. Ignored unless the link is open. */
  send(bytes: Uint8Array): void;
  /** Sends what was handed over, then ends the link. No handler is called afterwards. */
  close(): void;
}

/**
 * Opens a link; never calls a handler before it has returned.
 *
 * @param address as the bootstrap gave it: `wss://host:port/connect` or `host:port`
 */
export type Connector = (address: string, handlers: LinkHandlers) => Link;

export type Connectors = Readonly<Partial<Record<Protocol, Connector>>>;

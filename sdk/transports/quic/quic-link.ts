/**
 * A link over one QUIC connection and its first bidirectional stream. When the device changes its network the server sees
 * a new address, checks it and goes on, and nothing here has to notice.
 *
 * @see docs/protocol.md, "QUIC"
 */
import { randomBytes, X509Certificate } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import type { Config, Connection } from '@matrixai/quic/native/types.js';
import type { Link, LinkHandlers } from '../connector.js';
import { ClientSocket } from './client-socket.js';
import { PacketSlab } from './packet-slab.js';
import type { Quiche } from './quiche.js';

const STREAM = 0;
const ID_BYTES = 12;
const RESET_TOKEN_BYTES = 16;
/** Stream data is read into this by all links, and copied out at once. */
const SCRATCH = new Uint8Array(64 * 1024);
const packets = new PacketSlab();
/** How long the other side's last word is waited for: a lost packet has the time to go again. */
const LINGER_MS = 5_000;
const NOTHING = new Uint8Array(0);
/** RFC 9000, section 20.1: an error of TLS, as which a certificate for another host counts. */
const BAD_CERTIFICATE = 0x12a;

export interface QuicTarget {
  /** As the access point names it: a host name or an address. */
  readonly host: string;
  /** What `host` resolved to. */
  readonly address: string;
  readonly port: number;
  /** To resume. */
  readonly session?: Uint8Array | undefined;
  onSession(session: Uint8Array): void;
}

export class QuicLink implements Link {
  readonly #handlers: LinkHandlers;
  readonly #target: QuicTarget;
  readonly #socket: ClientSocket;
  readonly #connection: Connection;
  readonly #local: { host: string; port: number };
  readonly #remote: { host: string; port: number };
  readonly #queue: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When quiche wants to be called, and when the timer does: no later. */
  #dueMs = Number.POSITIVE_INFINITY;
  #timerMs = Number.POSITIVE_INFINITY;
  #hasSession = false;
  #linger: NodeJS.Timeout | undefined;
  #isFlushing = false;
  #isOpen = false;
  /** Nobody hears of it any more. */
  #isSilent = false;
  #isEnding = false;
  #isFinished = false;
  #isOver = false;
  #cause: Error | undefined;

  constructor(quiche: Quiche, config: Config, target: QuicTarget, handlers: LinkHandlers) {
    this.#handlers = handlers;
    this.#target = target;
    const { host, address, port, session } = target;
    const isV6 = isIPv6(address);
    this.#local = { host: isV6 ? '::' : '0.0.0.0', port: 1 };
    this.#remote = { host: address, port };
    // An address is no name in TLS: the certificate is compared with it here, after the handshake.
    const serverName = isIP(host) === 0 ? host : null;
    this.#connection = quiche.Connection.connect(serverName, randomBytes(ID_BYTES), this.#local, this.#remote, config);
    if (session !== undefined) this.#connection.setSession(session);
    this.#socket = new ClientSocket({
      address,
      port,
      onReady: () => this.#wake(),
      onDatagram: (datagram) => this.#receive(datagram),
      onError: (error, wasHeard) => this.#unreachable(error, wasHeard),
    });
    this.#socket.open();
  }

  send(bytes: Uint8Array): void {
    if (!this.#isOpen || this.#isEnding) return;
    this.#queue.push(bytes);
    this.#wake();
  }

  close(): void {
    this.#isSilent = true;
    if (this.#isOver) return;
    this.#socket.unref();
    this.#timer?.unref();
    if (this.#isOpen) return this.#end();
    this.#shut();
    this.#flush();
  }

  /** The last bytes go, then our direction ends; the server answers with CONNECTION_CLOSE. */
  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#linger = setTimeout(() => {
      this.#shut();
      this.#flush();
      this.#over();
    }, LINGER_MS).unref();
    this.#wake();
  }

  /** A server that was there may be again: what cannot be sent is sent once more, until a timeout ends the link. */
  #unreachable(error: Error, wasHeard: boolean): void {
    const { host, port } = this.#target;
    const { code = error.message } = error as NodeJS.ErrnoException;
    this.#cause = new Error(`${host}:${port} cannot be reached over UDP: ${code}`, { cause: error });
    if (!wasHeard) this.#over();
  }

  #receive(datagram: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#connection.recv(datagram, { from: this.#remote, to: this.#local });
    } catch (error) {
      this.#cause = error as Error;
    }
    if (!this.#isOpen && this.#connection.isEstablished()) this.#secured();
    if (this.#isOpen) {
      this.#issueIds();
      this.#read();
    }
    this.#wake();
  }

  /** The server takes another id for each address it sees. */
  #issueIds(): void {
    while (this.#connection.retiredScidNext() !== null);
    while (this.#connection.sourceCidsLeft() > 0) {
      const resetToken = BigInt(`0x${randomBytes(RESET_TOKEN_BYTES).toString('hex')}`);
      this.#connection.newSourceCid(randomBytes(ID_BYTES), resetToken, false);
    }
  }

  #secured(): void {
    const { host } = this.#target;
    if (isIP(host) !== 0 && !this.#isCertified(host)) {
      this.#cause = new Error(`the certificate is not for ${host}`);
      this.#shut(false, BAD_CERTIFICATE);
      return;
    }
    this.#isOpen = true;
    if (!this.#isSilent) this.#handlers.onOpen();
  }

  #isCertified(address: string): boolean {
    // A resumed session was checked when it began.
    if (this.#connection.isResumed()) return true;
    const [own] = this.#connection.peerCertChain() ?? [];
    return own !== undefined && new X509Certificate(own).checkIP(address) !== undefined;
  }

  #read(): void {
    try {
      while (this.#connection.streamReadable(STREAM)) {
        const read = this.#connection.streamRecv(STREAM, SCRATCH);
        if (read === null) return;
        const [bytes, isLast] = read;
        if (bytes > 0 && !this.#isSilent) this.#handlers.onBytes(SCRATCH.slice(0, bytes));
        if (isLast) return this.#end();
        if (bytes < SCRATCH.length) return;
      }
    } catch (error) {
      this.#cause = error as Error;
      this.#shut();
    }
  }

  /** Everything that one turn produces leaves together. */
  #wake(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isOver) return;
    if (this.#isOpen) this.#feed();
    this.#transmit();
    if (this.#connection.isClosed() || this.#connection.isDraining()) return this.#over();
    if (!this.#hasSession) this.#keepSession();
    this.#schedule();
  }

  /** It comes a little after the handshake, and asking costs a copy of it. */
  #keepSession(): void {
    const session = this.#connection.session();
    if (session === null) return;
    this.#hasSession = true;
    this.#target.onSession(session);
  }

  /** A timer that fires too early is cheaper than another one for each packet. */
  #schedule(): void {
    const timeoutMs = this.#connection.timeout();
    this.#dueMs = timeoutMs === null ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    if (this.#dueMs < this.#timerMs) this.#setTimer();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    this.#timerMs = this.#dueMs;
    if (this.#dueMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#due(), Math.max(this.#dueMs - performance.now(), 0));
    if (this.#isSilent) this.#timer.unref();
  }

  #due(): void {
    this.#timerMs = Number.POSITIVE_INFINITY;
    if (performance.now() < this.#dueMs) return this.#setTimer();
    this.#connection.onTimeout();
    this.#flush();
  }

  #feed(): void {
    try {
      for (let chunk = this.#queue[0]; chunk !== undefined; chunk = this.#queue[0]) {
        const taken = this.#connection.streamSend(STREAM, chunk, false) ?? 0;
        if (taken < chunk.length) {
          this.#queue[0] = chunk.subarray(taken);
          return;
        }
        this.#queue.shift();
      }
      if (!this.#isEnding || this.#isFinished) return;
      this.#isFinished = true;
      this.#connection.streamSend(STREAM, NOTHING, true);
    } catch (error) {
      this.#cause = error as Error;
      this.#shut();
    }
  }

  #transmit(): void {
    try {
      for (;;) {
        const packet = packets.next();
        const sent = this.#connection.send(packet);
        if (sent === null) return;
        this.#socket.send(packets.taken(sent[0]));
      }
    } catch (error) {
      this.#cause = error as Error;
    }
  }

  #shut(isApplication = true, code = 0): void {
    try {
      this.#connection.close(isApplication, code, NOTHING);
    } catch {
      // It is closed already.
    }
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#linger);
    this.#socket.close();
    if (this.#isSilent) return;
    this.#isSilent = true;
    const ended = this.#connection.peerError();
    this.#handlers.onClose(
      this.#error(),
      ended?.isApp === true && isCloseCode(ended.errorCode) ? ended.errorCode : undefined,
    );
  }

  #error(): Error | undefined {
    if (this.#cause !== undefined) return this.#cause;
    const ended = this.#connection.peerError() ?? this.#connection.localError();
    if (ended === null) return this.#isOpen ? undefined : new Error('no answer to the QUIC handshake');
    const reason = Buffer.from(ended.reason).toString();
    return new Error(`QUIC connection closed ${ended.errorCode} ${reason}`.trimEnd());
  }
}

function isCloseCode(code: number): boolean {
  return code >= 4000 && code <= 4999;
}

/**
 * One QUIC connection as a byte pipe: the client's first bidirectional stream is the pipe, and there is no other. quiche
 * holds the protocol; here its stream is fed and read, and its packets are asked for once per turn of the event loop.
 *
 * The end, from either side, is polite first: the stream is finished, the peer finishes its direction in answer, which says
 * that all of it has arrived, and then CONNECTION_CLOSE carries the close code.
 *
 * @see docs/protocol.md, "QUIC"
 */
import { CloseCode } from '../../protocol/index.js';
import { RAW_ENVELOPE } from '../envelopes.js';
import { CLOSE_TIMEOUT_MS, NEVER_TAKEN_BYTES, type Transport, type TransportHandler } from '../transport.js';
import { UNOWNED } from '../unowned.js';
import { Allowance } from './allowance.js';
import type { ConnectionIds } from './connection-ids.js';
import type { Deadline } from './deadlines.js';
import type { QuicheConnection, RecvInfo, SendInfo } from './native.js';
import { MAX_PATHS } from './server-config.js';

/** The client's first bidirectional stream. */
const STREAM = 0;
/** Ids that a client may hold of one connection: the one in use, and one for a new path. */
const OWN_IDS = 2;
const NOTHING = new Uint8Array(0);

/** RFC 9000, section 20.1. */
const PROTOCOL_VIOLATION = 0x0a;
const CONNECTION_REFUSED = 0x02;

/**
 * - `shaking`    the QUIC handshake is under way
 * - `secured`    keys are agreed, and the client has not opened its stream
 * - `open`       has an owner
 * - `finishing`  the owner closed it: the rest is sent, and the peer's end awaited
 * - `ending`     CONNECTION_CLOSE is to be sent, or came
 * - `over`       the owner knows; quiche answers late packets for a while
 */
type Phase = 'shaking' | 'secured' | 'open' | 'finishing' | 'ending' | 'over';

/** What the listener does for its connections. */
export interface QuicHost {
  readonly ids: ConnectionIds;
  /** Stream data is read into this and copied out of it. */
  readonly scratch: Uint8Array;
  /** Calls `flush` at the end of this turn. */
  wake(transport: QuicTransport): void;
  /** Where the next packet is to be written; good until `transmit`. */
  packet(): Uint8Array;
  transmit(bytes: number, to: SendInfo['to']): void;
  register(id: string, transport: QuicTransport): void;
  unregister(id: string): void;
  secured(transport: QuicTransport, isResumed: boolean): void;
  /** Stream data is here: the owner must be in place when this returns. */
  opened(transport: QuicTransport): void;
  /** It counts no more. @param wasOpen whether it had an owner */
  left(transport: QuicTransport, wasOpen: boolean): void;
  /** Nothing is left of it. */
  gone(transport: QuicTransport): void;
  schedule(transport: QuicTransport): void;
}

export class QuicTransport implements Transport, Deadline {
  readonly protocol = 'quic';
  readonly envelope = RAW_ENVELOPE;
  readonly remoteAddress: string;
  handler: TransportHandler = UNOWNED;
  dueMs = Number.POSITIVE_INFINITY;
  slot = -1;
  /** Of the admission. */
  ticket = -1;
  /** The listener's: is on the list of this turn. */
  isAwake = false;
  readonly #host: QuicHost;
  readonly #connection: QuicheConnection;
  readonly #allowance: Allowance;
  readonly #ids: string[];
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #phase: Phase = 'shaking';
  #hasReceived = false;
  #wantsDrain = false;
  #isFinished = false;
  /** Addresses that the client came from. */
  #paths = 1;
  /** Whether it ever had an owner. */
  #wasOpen = false;
  #closeCode = 0;
  #closeReason = '';
  #cutOffMs = Number.POSITIVE_INFINITY;

  /** @param id the first of its ids, latin1 */
  constructor(host: QuicHost, connection: QuicheConnection, id: string, remoteAddress: string, nowMs: number) {
    this.#host = host;
    this.#connection = connection;
    this.#ids = [id];
    this.remoteAddress = remoteAddress;
    this.#allowance = new Allowance(nowMs);
    host.register(id, this);
  }

  get writableBytes(): number {
    return this.#phase === 'open' ? this.#queuedBytes : NEVER_TAKEN_BYTES;
  }

  write(wire: Uint8Array): void {
    if (this.#phase !== 'open' || wire.length === 0) return;
    const taken = this.#queuedBytes === 0 ? this.#offer(wire) : 0;
    if (taken < wire.length) {
      this.#queue.push(taken === 0 ? wire : wire.subarray(taken));
      this.#queuedBytes += wire.length - taken;
    }
    this.#host.wake(this);
  }

  writeIfIdle(wire: Uint8Array): boolean {
    if (this.#phase !== 'open' || this.#queuedBytes > 0) return false;
    this.write(wire);
    return true;
  }

  notifyDrain(): void {
    this.#wantsDrain = true;
    this.#host.wake(this);
  }

  allowMessageBytes(): void {}

  close(code: number, reason: string): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'finishing';
    this.#closeCode = code;
    this.#closeReason = reason;
    this.#cutOffMs = performance.now() + CLOSE_TIMEOUT_MS;
    this.#host.wake(this);
  }

  destroy(): void {
    if (this.#phase !== 'over') this.#end(true, this.#closeCode, this.#closeReason);
  }

  /** Not even a handshake: tells the peer that it may not come in. */
  refuse(): void {
    // quiche writes the refusal with the handshake's keys, for which the client needs the server's part first.
    this.#send();
    this.#end(false, CONNECTION_REFUSED, '');
  }

  /** @param datagram decrypted in place */
  receive(datagram: Uint8Array, info: RecvInfo, nowMs: number): void {
    this.#hasReceived = true;
    this.#host.wake(this);
    const isWelcome = this.#allowance.received(datagram.length, nowMs);
    try {
      this.#connection.recv(datagram, info);
    } catch {
      // A violation: quiche has its CONNECTION_CLOSE ready.
    }
    if (this.#phase === 'shaking' && this.#connection.isEstablished()) this.#secure();
    if (this.#phase !== 'shaking' && this.#phase !== 'over') this.#read();
    if (!isWelcome && this.#phase !== 'over') this.#end(false, PROTOCOL_VIOLATION, 'too much beside the stream');
  }

  /** Its moment has come. */
  due(nowMs: number): void {
    if (nowMs >= this.#cutOffMs) this.#end(true, this.#closeCode, this.#closeReason);
    this.#connection.onTimeout();
    this.#hasReceived = true;
    this.#host.wake(this);
  }

  /** Sends what there is to send, and finds out how the connection is. */
  flush(nowMs: number): void {
    if (this.#hasReceived) this.#look();
    if (this.#phase === 'open' || this.#phase === 'finishing') this.#feed();
    this.#send();
    if (this.#phase === 'ending') this.#leave();
    if (this.#phase === 'over' && this.#connection.isClosed()) return this.#vanish();
    const timeoutMs = this.#connection.timeout();
    const dueMs = timeoutMs === null ? Number.POSITIVE_INFINITY : nowMs + timeoutMs;
    this.dueMs = Math.min(dueMs, this.#phase === 'finishing' ? this.#cutOffMs : Number.POSITIVE_INFINITY);
    this.#host.schedule(this);
  }

  #secure(): void {
    this.#phase = 'secured';
    this.#host.secured(this, this.#connection.isResumed());
    this.#issueIds();
  }

  /** Spare ids let the client move to a new address. */
  #issueIds(): void {
    while (this.#ids.length < OWN_IDS && this.#connection.sourceCidsLeft() > 0) {
      const id = this.#host.ids.create();
      this.#connection.newSourceCid(id, this.#host.ids.resetNumber(id), false);
      const key = id.toString('latin1');
      this.#ids.push(key);
      this.#host.register(key, this);
    }
  }

  #read(): void {
    const { scratch } = this.#host;
    try {
      while (this.#connection.streamReadable(STREAM)) {
        const read = this.#connection.streamRecv(STREAM, scratch);
        if (read === null) return;
        const [bytes, isLast] = read;
        if (this.#phase === 'secured') {
          this.#phase = 'open';
          this.#wasOpen = true;
          this.#host.opened(this);
        }
        this.#allowance.delivered(bytes);
        if (bytes > 0 && this.#phase === 'open') this.handler.onBytes(scratch.slice(0, bytes));
        if (isLast) return this.#end(true, this.#closeCode, this.#closeReason);
        if (bytes < scratch.length) return;
      }
    } catch {
      // The peer reset the stream that is the connection.
      this.#end(true, this.#closeCode, this.#closeReason);
    }
  }

  #feed(): void {
    let chunk = this.#queue[0];
    while (chunk !== undefined) {
      const taken = this.#offer(chunk);
      this.#queuedBytes -= taken;
      if (taken < chunk.length) {
        this.#queue[0] = chunk.subarray(taken);
        return;
      }
      this.#queue.shift();
      chunk = this.#queue[0];
    }
    if (this.#phase === 'finishing' && !this.#isFinished) {
      this.#isFinished = true;
      this.#offer(NOTHING, true);
    }
    if (!this.#wantsDrain || this.#phase !== 'open') return;
    this.#wantsDrain = false;
    this.handler.onDrain();
  }

  /** @returns how much quiche took, which is as much as windows and congestion allow */
  #offer(bytes: Uint8Array, isLast = false): number {
    try {
      return this.#connection.streamSend(STREAM, bytes, isLast) ?? 0;
    } catch {
      // The peer stopped the stream that is the connection.
      this.#end(true, this.#closeCode, this.#closeReason);
      return bytes.length;
    }
  }

  #send(): void {
    try {
      for (;;) {
        const sent = this.#connection.send(this.#host.packet());
        if (sent === null) return;
        this.#host.transmit(sent[0], sent[1].to);
        this.#allowance.sent();
      }
    } catch {
      // Nothing can be sent any more; timers end what is left.
      if (this.#phase !== 'over') this.#phase = 'ending';
    }
  }

  /** What packets and timeouts may have changed. */
  #look(): void {
    this.#hasReceived = false;
    const connection = this.#connection;
    if (this.#phase === 'over') return;
    if (connection.isDraining() || connection.isClosed()) {
      this.#phase = 'ending';
      return;
    }
    for (let id = connection.retiredScidNext(); id !== null; id = connection.retiredScidNext()) {
      const key = Buffer.from(id).toString('latin1');
      this.#ids.splice(this.#ids.indexOf(key), 1);
      this.#host.unregister(key);
    }
    if (this.#phase !== 'shaking') this.#issueIds();
    for (let event = connection.pathEventNext(); event !== null; event = connection.pathEventNext()) {
      if (event.type === 'New') this.#paths += 1;
    }
    // From one more it could not be heard; now it still hears that it should come back, and resumes its session.
    if (this.#paths === MAX_PATHS) this.#end(true, CloseCode.goingAway, 'moved too often');
  }

  #end(isApplication: boolean, code: number, reason: string): void {
    if (this.#phase === 'over') return;
    const isTold = this.#phase === 'ending';
    this.#phase = 'ending';
    if (isTold) return;
    try {
      this.#connection.close(isApplication, code, Buffer.from(reason));
    } catch {
      // It is closed already.
    }
    this.#host.wake(this);
  }

  #leave(): void {
    this.#phase = 'over';
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#host.left(this, this.#wasOpen);
    this.handler.onClose();
    this.handler = UNOWNED;
  }

  #vanish(): void {
    for (const id of this.#ids) this.#host.unregister(id);
    this.#host.gone(this);
  }
}

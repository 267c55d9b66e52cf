/**
 * Accepts QUIC connections on one UDP port: finds the connection of each datagram, keeps strangers outside until they have
 * proved their address, and lets every connection send once per turn of the event loop, however many datagrams came.
 *
 * @see docs/decisions/0070-quiche-native.md and 0071-quic-memory.md
 */
import type { LinkRefusal, Listener, ListenerOptions, SecureMaterial } from '../transport.js';
import { ConnectionIds, workerOfId } from './connection-ids.js';
import { Deadlines } from './deadlines.js';
import { MemoryBudget } from './memory-budget.js';
import { loadQuiche, type Quiche, type QuicheConfig, type SendInfo } from './native.js';
import { CONNECTION_ID_BYTES, type LongHeader, readPacketHeader, type ShortHeader } from './packet-header.js';
import { QuicTransport } from './quic-transport.js';
import { RateBucket } from './rate-bucket.js';
import { Relay, type RelayedDatagram } from './relay.js';
import { createServerConfig, MAX_DATAGRAM_BYTES } from './server-config.js';
import { StrangerDoor } from './stranger-door.js';
import { UdpPort } from './udp-port.js';

const SCRATCH_BYTES = 64 * 1024;
/** Packets are written one after the other into pieces of memory of this length. */
const SLAB_BYTES = 64 * 1024;
const RELAYED_PER_SECOND = 50_000;
const SWEEP_MS = 250;

export interface QuicListenerOptions extends ListenerOptions {
  readonly secure: SecureMaterial;
  /** Among the workers that share the port, 0 to 255. */
  readonly worker: number;
  /** How many share it. */
  readonly workers: number;
  /** A connection of which nothing is heard for this long is over; should be longer than the heartbeat takes. */
  readonly idleMs: number;
  /** What connections of this worker may take; beyond it nobody comes in. */
  readonly memoryBytes: number;
}

interface Parts {
  readonly quiche: Quiche;
  readonly door: StrangerDoor;
  readonly relay: Relay;
  config: QuicheConfig;
}

export class QuicListener implements Listener {
  readonly protocol = 'quic';
  readonly ids: ConnectionIds;
  readonly scratch = new Uint8Array(SCRATCH_BYTES);
  readonly #options: QuicListenerOptions;
  readonly #port: UdpPort;
  readonly #relayed = new RateBucket(RELAYED_PER_SECOND, performance.now());
  readonly #byId = new Map<string, QuicTransport>();
  readonly #transports = new Set<QuicTransport>();
  /** Without an owner yet, in the order of arrival, with the time at which they are cut off. */
  readonly #waiting = new Map<QuicTransport, number>();
  readonly #deadlines = new Deadlines<QuicTransport>((transport) => transport.due(performance.now()), nowMs);
  readonly #memory: MemoryBudget;
  readonly #local: SendInfo['from'];
  #parts: Parts | undefined;
  #awake: QuicTransport[] = [];
  #immediate: NodeJS.Immediate | undefined;
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #slabUsed = 0;
  #sweep: NodeJS.Timeout | undefined;
  #isAccepting = false;

  constructor(options: QuicListenerOptions) {
    this.#options = options;
    const { host, port, reusePort, worker, memoryBytes } = options;
    this.ids = new ConnectionIds(worker, options.secure.key);
    this.#local = { host, port };
    this.#memory = new MemoryBudget(memoryBytes);
    this.#port = new UdpPort({
      host,
      port,
      reusePort,
      onDatagram: (datagram, address, from) => this.#take(datagram, address, from, false),
    });
  }

  /** @throws {QuicUnavailableError}; the system's error, such as EADDRINUSE */
  async start(): Promise<void> {
    const quiche = await loadQuiche();
    const { secure, idleMs, host, port, worker, workers } = this.#options;
    const door = new StrangerDoor(quiche, this.ids, (bytes, to, port) => this.#port.send(bytes, to, port), nowMs);
    const config = createServerConfig(quiche, secure, idleMs);
    await this.#port.open();
    const relay = new Relay(`${host} ${port}`, worker, workers, (datagram) => this.#takeRelayed(datagram));
    this.#parts = { quiche, door, relay, config };
    this.#isAccepting = true;
    this.#sweep = setInterval(() => this.#cutLate(), SWEEP_MS).unref();
  }

  /** The socket stays as long as connections need it. */
  async stop(): Promise<void> {
    this.#isAccepting = false;
    clearInterval(this.#sweep);
    for (const transport of [...this.#waiting.keys()]) transport.destroy();
    this.#closeWhenEmpty();
  }

  renew(material: SecureMaterial): void {
    if (this.#parts === undefined) return;
    this.#parts.config = createServerConfig(this.#parts.quiche, material, this.#options.idleMs);
  }

  wake(transport: QuicTransport): void {
    if (transport.isAwake) return;
    transport.isAwake = true;
    this.#awake.push(transport);
    this.#immediate ??= setImmediate(() => this.#endTurn());
  }

  packet(): Uint8Array {
    if (this.#slabUsed + MAX_DATAGRAM_BYTES > SLAB_BYTES) {
      // The old one lives until the kernel has taken its packets.
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#slabUsed = 0;
    }
    return this.#slab.subarray(this.#slabUsed, this.#slabUsed + MAX_DATAGRAM_BYTES);
  }

  transmit(bytes: number, { host, port }: SendInfo['to']): void {
    this.#port.send(this.#slab.subarray(this.#slabUsed, this.#slabUsed + bytes), host, port);
    this.#slabUsed += bytes;
  }

  register(id: string, transport: QuicTransport): void {
    this.#byId.set(id, transport);
  }

  unregister(id: string): void {
    this.#byId.delete(id);
  }

  secured(_transport: QuicTransport, isResumed: boolean): void {
    this.#options.counter.secured(isResumed);
  }

  opened(transport: QuicTransport): void {
    this.#waiting.delete(transport);
    this.#options.onConnection(transport);
  }

  left(transport: QuicTransport, wasOpen: boolean): void {
    if (!wasOpen && this.#waiting.delete(transport)) this.#options.counter.refused('quic');
    if (transport.ticket >= 0) this.#options.gate.release(transport.ticket);
    transport.ticket = -1;
  }

  gone(transport: QuicTransport): void {
    this.#deadlines.delete(transport);
    this.#transports.delete(transport);
    this.#closeWhenEmpty();
  }

  schedule(transport: QuicTransport): void {
    this.#deadlines.set(transport);
  }

  #take(datagram: Buffer, address: string, port: number, isRelayed: boolean): void {
    const header = readPacketHeader(datagram);
    if (header === undefined || this.#parts === undefined) return;
    const id = header.form === 'short' ? header.dcid : header.dcid.toString('latin1');
    const transport = this.#byId.get(id);
    if (transport !== undefined) return this.#give(transport, datagram, address, port);
    if (!isRelayed && this.#passOn(id, header, datagram, address, port)) return;
    const at = performance.now();
    const { door } = this.#parts;
    if (header.form === 'short') return door.reset(id, datagram.length, address, port, at);
    if (!this.#isAccepting) return;
    const proved = door.admit(header, datagram.length, address, port, at);
    if (proved !== undefined) this.#accept(header.dcid, proved.firstId, datagram, address, port);
  }

  #takeRelayed({ bytes, address, port }: RelayedDatagram): void {
    this.#take(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), address, port, true);
  }

  /** @returns whether the packet is another worker's. A client's very first one bears an id of the client's own. */
  #passOn(id: string, header: ShortHeader | LongHeader, datagram: Buffer, address: string, port: number): boolean {
    const relay = this.#parts?.relay;
    const worker = workerOfId(id);
    if (worker === this.#options.worker || id.length !== CONNECTION_ID_BYTES || !relay?.reaches(worker)) return false;
    if (header.form === 'long' && header.isInitial && header.token.length === 0) return false;
    if (this.#relayed.take(performance.now())) relay.send(worker, { bytes: new Uint8Array(datagram), address, port });
    return true;
  }

  #give(transport: QuicTransport, datagram: Buffer, address: string, port: number): void {
    transport.receive(datagram, { from: { host: address, port }, to: this.#local }, performance.now());
  }

  #accept(dcid: Buffer, firstId: Buffer, datagram: Buffer, address: string, port: number): void {
    const { gate, handshakeMs } = this.#options;
    const ticket = gate.admit(address);
    // No answer: the client asks again in a second, and may come in then.
    if (ticket === 'rate') return this.#options.counter.refused(ticket);
    const refusal: LinkRefusal | undefined =
      typeof ticket !== 'number' ? ticket : this.#memory.isSpent(this.#transports.size) ? 'memory' : undefined;
    const transport = this.#create(dcid, firstId, address, port);
    if (typeof ticket === 'number') transport.ticket = ticket;
    this.#give(transport, datagram, address, port);
    if (refusal === undefined) return void this.#waiting.set(transport, performance.now() + handshakeMs);
    this.#options.counter.refused(refusal);
    transport.refuse();
  }

  #create(dcid: Buffer, firstId: Buffer, address: string, port: number): QuicTransport {
    const { quiche, config } = this.#parts as Parts;
    const id = Buffer.from(dcid);
    // Taken over into this connection alone.
    config.setStatelessResetToken(this.ids.resetNumber(id));
    const connection = quiche.Connection.accept(id, firstId, this.#local, { host: address, port }, config);
    const transport = new QuicTransport(this, connection, id.toString('latin1'), address, performance.now());
    this.#transports.add(transport);
    return transport;
  }

  /** Sessions write at the end of the turn as well: a moment later their answers and our acknowledgements share packets. */
  #endTurn(): void {
    const awake = this.#awake;
    this.#immediate = undefined;
    this.#awake = [];
    setImmediate(() => this.#flush(awake));
  }

  #flush(awake: readonly QuicTransport[]): void {
    const at = performance.now();
    for (const transport of awake) {
      transport.isAwake = false;
      transport.flush(at);
    }
  }

  #cutLate(): void {
    const at = performance.now();
    for (const [transport, dueMs] of this.#waiting) {
      if (dueMs > at) return;
      this.#waiting.delete(transport);
      this.#options.counter.refused('timeout');
      transport.destroy();
    }
  }

  #closeWhenEmpty(): void {
    if (this.#isAccepting || this.#transports.size > 0) return;
    this.#port.close();
    this.#parts?.relay.close();
    this.#deadlines.stop();
  }
}

function nowMs(): number {
  return performance.now();
}

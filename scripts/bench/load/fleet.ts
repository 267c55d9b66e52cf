/**
 * Many client connections in one process: opened with a bound on those under way, from several source addresses
 * (127.0.0.2 and up) because one address has about 28,000 ports, and closed with a reset so that no port waits.
 *
 * All sockets read into one buffer (`onread`), which keeps the stream machinery and an allocation per read away.
 */
import { connect, type TcpSocketConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectSecurely, type SecureVersion, TLSSocket } from 'node:tls';
import { CloseCode, decodeFrame, encodeFrame, FrameType, HEADER_BYTES, Status } from '../../../protocol/index.js';
import { BenchError } from '../measure/bench-error.js';
import { sleep } from './clock.js';
import { Link } from './link.js';
import { Scanner } from './scanner.js';
import { Traffic } from './traffic.js';
import { Opcode, refusedUpgrade, upgradeRequest } from './websocket.js';

const PORTS_PER_SOURCE = 14_000;
const UPGRADE_END = '\r\n\r\n';

export type Protocol = 'tcp' | 'tls' | 'ws' | 'wss';

export interface FleetOptions {
  readonly protocol: Protocol;
  readonly port: number;
  readonly size: number;
  /** CONNECT of the n-th link, which is ready at CONNACK; without it a link is ready when its transport is open. */
  readonly login?: ((index: number) => Uint8Array) | undefined;
  /** Connects under way at once. Default 128. */
  readonly inFlight?: number;
  /** The last number of the first source address, 127.0.0.n. Default 2. */
  readonly firstSource?: number;
  /** Of TLS links: a session to resume; the last one that the server gave is `session` of the fleet. */
  readonly session?: Buffer | undefined;
  /** Of TLS links; the newest that both sides speak when absent. */
  readonly tlsVersion?: SecureVersion | undefined;
  /** Counts what arrives, for several fleets together; one of its own by default. */
  readonly traffic?: Traffic;
  /** For the whole opening. Default 120,000. */
  readonly timeoutMs?: number;
  /** Called on every read batch; lets a pacer keep its time while thousands of sockets are read in a row. */
  readonly onReads?: (() => void) | undefined;
}

const READS_PER_CALL = 32;

export class Fleet {
  readonly traffic: Traffic;
  readonly links: Link[] = [];
  /** A RESPONSE arrived; `frame` is valid during the call. */
  onResponse: ((link: Link, requestId: number, status: number, frame: Buffer) => void) | undefined;
  /** A REQUEST of a back-end arrived; `frame` is valid during the call. */
  onRequest: ((link: Link, frame: Buffer) => void) | undefined;
  /** From the first connect to the last link ready. */
  openedInMs = 0;
  /** TLS handshakes that resumed a session. */
  resumed = 0;
  session: Buffer | undefined;
  /** Links that closed after they were ready, though nobody here closed them. */
  lost = 0;
  readonly #options: FleetOptions;
  readonly #scanner: Scanner<Link>;
  #underWay = 0;
  #readsLeft = READS_PER_CALL;
  #failure: BenchError | undefined;
  #settled: (() => void) | undefined;
  #closing = false;

  private constructor(options: FleetOptions) {
    this.#options = options;
    this.traffic = options.traffic ?? new Traffic();
    this.#scanner = new Scanner<Link>(this.traffic, {
      onFrame: (link, type, frame) => this.#onFrame(link, type, frame),
      onControl: (link, opcode, data) => this.#onControl(link, opcode, data),
    });
  }

  /** @throws {BenchError} a link failed, or not all were ready in time; none stays open */
  static async open(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options);
    const startedMs = performance.now();
    const timer = setTimeout(() => fleet.#fail('connections were not ready in time'), options.timeoutMs ?? 120_000);
    await new Promise<void>((resolve) => {
      fleet.#settled = resolve;
      fleet.#openMore();
    });
    clearTimeout(timer);
    fleet.openedInMs = performance.now() - startedMs;
    if (fleet.#failure !== undefined) {
      await fleet.close();
      throw fleet.#failure;
    }
    return fleet;
  }

  /** Joins every link (or the given ones) to a group. @throws {BenchError} a JOIN was refused */
  async join(businessId: number, group: string, links: readonly Link[] = this.links): Promise<void> {
    const frame = encodeFrame({ type: FrameType.join, requestId: 1, businessId, group });
    const before = this.onResponse;
    let next = 0;
    let waiting = 0;
    await new Promise<void>((resolve, reject) => {
      const sendMore = () => {
        for (; next < links.length && waiting < 256; waiting++) links[next++]?.send(frame);
        if (waiting === 0) resolve();
      };
      this.onResponse = (_link, _requestId, status) => {
        if (status !== Status.ok) reject(new BenchError(`JOIN was answered with status ${status}`));
        waiting--;
        sendMore();
      };
      sendMore();
    });
    this.onResponse = before;
  }

  /** @throws {BenchError} a link was lost */
  assertWhole(): void {
    if (this.lost > 0) throw this.#failure ?? new BenchError(`${this.lost} connections were lost`);
  }

  /** Resets every connection and gives the other side a moment to notice. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const link of this.links) {
      link.phase = 'closed';
      // Below TLS nothing can be reset from here.
      if (link.socket instanceof TLSSocket) link.socket.destroy();
      else link.socket.resetAndDestroy();
    }
    await sleep(200);
  }

  #openMore(): void {
    const { size, inFlight = 128 } = this.#options;
    while (this.#failure === undefined && this.links.length < size && this.#underWay < inFlight) this.#openOne();
    if (this.#failure !== undefined || (this.links.length === size && this.#underWay === 0)) this.#settled?.();
  }

  #openOne(): void {
    const { protocol, port, firstSource = 2 } = this.#options;
    const index = this.links.length;
    const onread = {
      buffer: this.#scanner.readBuffer,
      callback: (bytesRead: number) => {
        this.#onRead(link, bytesRead);
        return true;
      },
    };
    const localAddress = `127.0.0.${firstSource + Math.floor(index / PORTS_PER_SOURCE)}`;
    const target = { host: '127.0.0.1', port, localAddress, noDelay: true, onread };
    const isSecure = protocol === 'tls' || protocol === 'wss';
    const socket = isSecure ? this.#connectSecurely(target) : connect(target);
    const link = new Link(index, protocol === 'ws' || protocol === 'wss', socket);
    this.links.push(link);
    this.#underWay++;
    socket.on(isSecure ? 'secureConnect' : 'connect', () => this.#onConnect(link));
    socket.on('error', (error) => this.#onClosed(link, error.message));
    socket.on('close', () => this.#onClosed(link, 'closed by the server'));
  }

  /** The node's certificate is the benchmark's own, so it is not looked at, as on the server's side. */
  #connectSecurely(target: TcpSocketConnectOpts): TLSSocket {
    const { session, tlsVersion } = this.#options;
    const socket = connectSecurely({
      ...target,
      rejectUnauthorized: false,
      ...(session === undefined ? {} : { session }),
      ...(tlsVersion === undefined ? {} : { minVersion: tlsVersion, maxVersion: tlsVersion }),
    } as ConnectionOptions);
    // Not an option of TLS.
    socket.setNoDelay(true);
    socket.on('session', (fresh) => {
      this.session = fresh;
    });
    socket.on('secureConnect', () => {
      if (socket.isSessionReused()) this.resumed++;
    });
    return socket;
  }

  #onConnect(link: Link): void {
    if (!link.webSocket) return this.#onOpen(link);
    link.phase = 'upgrading';
    link.socket.write(upgradeRequest(this.#options.port), 'latin1');
  }

  #onOpen(link: Link): void {
    const { login } = this.#options;
    if (login === undefined) return this.#onReady(link);
    link.phase = 'login';
    link.send(login(link.index));
  }

  #onReady(link: Link): void {
    link.phase = 'ready';
    this.#underWay--;
    this.#openMore();
  }

  #onRead(link: Link, bytesRead: number): void {
    try {
      if (link.phase === 'upgrading') this.#readUpgrade(link, bytesRead);
      else this.#scanner.scan(link, bytesRead);
    } catch (error) {
      this.#fail(`connection ${link.index}: ${(error as Error).message}`);
    }
    if (--this.#readsLeft > 0) return;
    this.#readsLeft = READS_PER_CALL;
    this.#options.onReads?.();
  }

  #readUpgrade(link: Link, bytesRead: number): void {
    const bytes = Buffer.concat([link.carry ?? Buffer.alloc(0), this.#scanner.readBuffer.subarray(0, bytesRead)]);
    const headBytes = bytes.indexOf(UPGRADE_END);
    link.carry = headBytes < 0 ? bytes : undefined;
    if (headBytes < 0) return;
    const refused = refusedUpgrade(bytes.toString('latin1', 0, headBytes + 2));
    if (refused !== undefined) throw new BenchError(`upgrade refused: ${refused}`);
    const early = bytes.subarray(headBytes + UPGRADE_END.length);
    this.#onOpen(link);
    if (early.length === 0) return;
    link.carry = early;
    this.#scanner.scan(link, 0);
  }

  #onFrame(link: Link, type: number, frame: Buffer): void {
    if (type === FrameType.ping) {
      const pong = Buffer.from(frame);
      pong[HEADER_BYTES - 1] = FrameType.pong;
      return link.send(pong);
    }
    if (type === FrameType.request && this.onRequest !== undefined) return this.onRequest(link, frame);
    const decoded = decodeFrame({ type, body: frame.subarray(HEADER_BYTES) });
    if (decoded?.type === FrameType.response) {
      this.traffic.responses++;
      this.onResponse?.(link, decoded.requestId, decoded.status, frame);
    } else if (decoded?.type === FrameType.connack) {
      if (decoded.status === Status.ok) this.#onReady(link);
      else this.#fail(`login ${link.index} was answered with status ${decoded.status}`);
    } else if (decoded?.type === FrameType.close && decoded.code !== CloseCode.normal) {
      this.#onClosed(link, `CLOSE ${decoded.code} ${decoded.reason}`);
    } else if (decoded?.type === FrameType.gap) {
      this.#fail(`GAP: ${decoded.dropped} pushes were dropped`);
    }
  }

  #onControl(link: Link, opcode: number, data: Buffer): void {
    if (opcode === Opcode.ping) link.pong(data);
    if (opcode === Opcode.close)
      this.#onClosed(link, `WebSocket close ${data.length >= 2 ? data.readUInt16BE(0) : ''}`);
  }

  #onClosed(link: Link, why: string): void {
    if (this.#closing || link.phase === 'closed') return;
    const wasReady = link.phase === 'ready';
    link.phase = 'closed';
    if (wasReady) this.lost++;
    else this.#underWay--;
    this.#fail(`connection ${link.index} ${wasReady ? 'was lost' : 'did not open'}: ${why}`);
  }

  #fail(why: string): void {
    this.#failure ??= new BenchError(why);
    this.#settled?.();
  }
}

/**
 * A relay of datagrams between clients and one server, with a port of its own for each client towards the server, as a
 * NAT has. It can give its clients other ports while they are connected, lose datagrams, and be looked through.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';

export class Nat {
  readonly #inner: Socket;
  readonly #outer = new Map<number, Socket>();
  /** Datagrams that came back since the last move. */
  answered = 0;
  /** What to do with a datagram; false loses it. */
  passes: (datagram: Buffer, direction: 'in' | 'out') => boolean = () => true;

  private constructor(inner: Socket) {
    this.#inner = inner;
  }

  /** @param server port on 127.0.0.1 */
  static async open(t: ExecutionContext, server: number): Promise<Nat> {
    const inner = createSocket('udp4');
    const nat = new Nat(inner);
    inner.on('message', (datagram, { port }) => {
      if (nat.passes(datagram, 'out')) nat.#outerOf(port).send(datagram, server, '127.0.0.1');
    });
    await new Promise<void>((resolve) => inner.bind(0, '127.0.0.1', resolve));
    t.teardown(() => {
      inner.close();
      nat.move();
    });
    return nat;
  }

  get address(): string {
    return `127.0.0.1:${(this.#inner.address() as AddressInfo).port}`;
  }

  /** The server sees all clients at other ports from now on. */
  move(): void {
    for (const socket of this.#outer.values()) socket.close();
    this.#outer.clear();
    this.answered = 0;
  }

  #outerOf(client: number): Socket {
    const known = this.#outer.get(client);
    if (known !== undefined) return known;
    const socket = createSocket('udp4');
    socket.on('message', (datagram) => {
      this.answered += 1;
      if (this.passes(datagram, 'in')) this.#inner.send(datagram, client, '127.0.0.1');
    });
    this.#outer.set(client, socket);
    return socket;
  }
}

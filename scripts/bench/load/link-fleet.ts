/** Many links of one protocol, opened by the SDK's own connectors, so that QUIC and TLS are asked the same questions. */
import type { Connector, Link } from '../../../sdk/transports/connector.js';
import { quicConnector } from '../../../sdk/transports/quic-connector.js';
import { tlsConnector } from '../../../sdk/transports/tls-connector.js';
import { BenchError } from '../measure/bench-error.js';
import { Histogram } from './histogram.js';

export type LinkProtocol = 'quic' | 'tls';

export interface LinkFleetOptions {
  readonly protocol: LinkProtocol;
  readonly host?: string;
  readonly port: number;
  readonly ca: string;
  readonly size: number;
  /** How many are being opened at once. */
  readonly inFlight: number;
  /** First words of the n-th link, whose answer is waited for; none: open is enough. */
  readonly hello?: (index: number) => Uint8Array;
}

interface OpenLink {
  readonly link: Link;
  onBytes: (bytes: Uint8Array) => void;
}

export class LinkFleet {
  readonly #links: OpenLink[];
  readonly #options: LinkFleetOptions;

  private constructor(options: LinkFleetOptions, links: OpenLink[]) {
    this.#options = options;
    this.#links = links;
  }

  static async open(options: LinkFleetOptions): Promise<LinkFleet> {
    // A connector of its own for each link: a session that one remembers would make the next handshake a shorter one.
    const connector = options.protocol === 'quic' ? quicConnector : tlsConnector;
    const links: OpenLink[] = [];
    let next = 0;
    const openSome = async (): Promise<void> => {
      for (let index = next++; index < options.size; index = next++) {
        links.push(await openLink(connector({ ca: options.ca }), options, index));
      }
    };
    await Promise.all(Array.from({ length: options.inFlight }, openSome));
    return new LinkFleet(options, links);
  }

  /** Each link asks, and asks again as soon as all of the answer is here. */
  async echo(
    question: Uint8Array,
    answerBytes: number,
    windowMs: number,
  ): Promise<{ echoes: number; latencyUs: Histogram }> {
    const latencyUs = new Histogram();
    let isOver = false;
    for (const open of this.#links) {
      let waiting = answerBytes;
      let askedMs = performance.now();
      open.onBytes = (bytes) => {
        waiting -= bytes.length;
        if (waiting > 0 || isOver) return;
        const nowMs = performance.now();
        latencyUs.record((nowMs - askedMs) * 1e3);
        askedMs = nowMs;
        waiting += answerBytes;
        open.link.send(question);
      };
      open.link.send(question);
    }
    await new Promise((resolve) => setTimeout(resolve, windowMs));
    isOver = true;
    return { echoes: latencyUs.count, latencyUs };
  }

  /** Each link asks every `everyMs`, whether or not it was answered; an answer is as long as its question. */
  async paced(question: Uint8Array, everyMs: number, windowMs: number): Promise<Histogram> {
    const latencyUs = new Histogram();
    const timers = this.#links.map((open, index) => {
      const askedMs: number[] = [];
      let bytesHere = 0;
      open.onBytes = (bytes) => {
        bytesHere += bytes.length;
        for (; bytesHere >= question.length; bytesHere -= question.length) {
          latencyUs.record((performance.now() - (askedMs.shift() ?? 0)) * 1e3);
        }
      };
      const ask = (): void => {
        askedMs.push(performance.now());
        open.link.send(question);
      };
      return setTimeout(
        () => {
          timers[index] = setInterval(ask, everyMs);
        },
        (index * everyMs) / this.#links.length,
      );
    });
    await new Promise((resolve) => setTimeout(resolve, windowMs));
    for (const timer of timers) clearInterval(timer);
    return latencyUs;
  }

  async close(): Promise<void> {
    for (const { link } of this.#links) link.close();
    await new Promise((resolve) => setTimeout(resolve, this.#options.protocol === 'quic' ? 1_500 : 200));
  }
}

function openLink(connector: Connector, options: LinkFleetOptions, index: number): Promise<OpenLink> {
  const { host = '127.0.0.1', port, hello, protocol } = options;
  return new Promise((resolve, reject) => {
    const open: OpenLink = {
      onBytes: () => resolve(open),
      link: connector(`${host}:${port}`, {
        onOpen: () => {
          if (hello === undefined) resolve(open);
          else open.link.send(hello(index));
        },
        onBytes: (bytes) => open.onBytes(bytes),
        onClose: (error) => reject(new BenchError(`a ${protocol} link ended: ${error?.message ?? 'closed'}`)),
      }),
    };
  });
}

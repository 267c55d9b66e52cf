/**
 * Serves the demo page and the SDK's browser bundle from memory, a fixed list of files, so that no path of a request
 * ever reaches the file system. It opens before the node, whose configuration names the page's origin; until the
 * node is there, `demo.json` answers 503.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TrunklineError } from '../protocol/index.js';

const HOST = '127.0.0.1';

/** Path in the URL, file beside this module, type. */
const FILES: readonly (readonly [path: string, file: string, type: string])[] = [
  ['/', './page/index.html', 'text/html; charset=utf-8'],
  ['/style.css', './page/style.css', 'text/css; charset=utf-8'],
  ['/icon.svg', './page/icon.svg', 'image/svg+xml'],
  ...[
    'app',
    'clock-text',
    'connection-view',
    'devices-view',
    'event-log',
    'identity',
    'line-view',
    'link-choice',
    'messages-view',
    'room-view',
    'way-text',
  ].map((name) => [`/${name}.js`, `./page/${name}.js`, 'text/javascript; charset=utf-8'] as const),
  ...['trunkline.browser', 'trunkline.shared', 'trunkline.shared-worker'].map(
    (name) => [`/${name}.js`, `../sdk/${name}.js`, 'text/javascript; charset=utf-8'] as const,
  ),
];

/** What the page needs to know, as `demo.json`. */
export interface PageSettings {
  readonly app: string;
  /** Base URL of the control layer. */
  readonly controlUrl: string;
  /** `ws://host:port` of the access listener. */
  readonly webSocketUrl: string;
  /** `wss://host:port` of the access listener with TLS. */
  readonly secureWebSocketUrl: string;
  readonly room: string;
  /** Devices of the demo, which can be switched. */
  readonly devices: readonly string[];
  /** To which of these. */
  readonly protocols: readonly string[];
}

interface Asset {
  readonly body: Buffer;
  readonly type: string;
}

/** A file of the page is missing: the project was compiled, not built. */
export class NotBuiltError extends TrunklineError {
  readonly code = 'TRK_NOT_BUILT';
  constructor(file: string, cause: unknown) {
    super(`the demo page needs ${file}, which is not there. Run: npm run build`, { cause });
  }
}

function readBuilt(file: string): Buffer {
  try {
    return readFileSync(new URL(file, import.meta.url));
  } catch (error) {
    throw new NotBuiltError(file, error);
  }
}

export class PageServer {
  readonly #server: Server;
  readonly #assets: ReadonlyMap<string, Asset>;
  #settings: PageSettings | undefined;

  private constructor(assets: ReadonlyMap<string, Asset>) {
    this.#assets = assets;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /**
   * @param port 0 lets the kernel choose
   * @throws {NotBuiltError}; the system's error when the port is taken
   */
  static async open(port: number): Promise<PageServer> {
    const server = new PageServer(new Map(FILES.map(([path, file, type]) => [path, { body: readBuilt(file), type }])));
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject).listen(port, HOST, resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Where a person opens the page. */
  get url(): string {
    return `http://${HOST}:${this.port}/`;
  }

  /** Every origin under which a browser may have the page open. */
  get origins(): string[] {
    return [`http://${HOST}:${this.port}`, `http://localhost:${this.port}`];
  }

  publish(settings: PageSettings): void {
    this.#settings = settings;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer({ method, url }: IncomingMessage, response: ServerResponse): void {
    const path = url?.split('?', 1)[0] ?? '/';
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    const asset = path === '/demo.json' ? this.#settingsAsset() : this.#assets.get(path);
    response.writeHead(asset === undefined ? 404 : asset.body.length === 0 ? 503 : 200, {
      'cache-control': 'no-cache',
      'content-length': asset?.body.length ?? 0,
      'content-security-policy': this.#contentSecurityPolicy(),
      'content-type': asset?.type ?? 'text/plain',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    response.end(method === 'HEAD' ? undefined : asset?.body);
  }

  #settingsAsset(): Asset {
    const body = this.#settings === undefined ? '' : JSON.stringify(this.#settings);
    return { body: Buffer.from(body), type: 'application/json' };
  }

  /** Own files only, the shared worker among them, and the node's addresses to connect to. */
  #contentSecurityPolicy(): string {
    const { controlUrl, webSocketUrl, secureWebSocketUrl } = this.#settings ?? {};
    const connect = ["'self'", controlUrl, webSocketUrl, secureWebSocketUrl].filter((source) => source !== undefined);
    return [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      "worker-src 'self'",
      `connect-src ${connect.join(' ')}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; ');
  }
}

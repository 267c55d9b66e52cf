/** A control layer on a real port, with real keys, for the tests of `control/`. */
import type { ExecutionContext } from 'ava';
import { SignJWT } from 'jose';
import { createLogger } from 'winston';
import type { RoutingService } from '../../actors/index.js';
import {
  type AccessAddresses,
  Credentials,
  type NodeLease,
  type NodeRecord,
  type NodeView,
  type ServiceActor,
} from '../../cluster/index.js';
import { CurrentConfig, type NodeConfig, parseConfig } from '../../config/index.js';
import { ControlActor, createControlService, longestTokenLifeMs, Policies } from '../../control/index.js';
import {
  createTokenVerifier,
  DeviceSecrets,
  type SigningKeys,
  type SyncTokenVerifier,
  TokenIssuer,
} from '../../tokens/index.js';
import { dataDir } from '../tokens/fixtures.js';

export const SHOP_ORIGIN = 'https://shop.example.com';
export const CHAT_ORIGIN = 'https://chat.example.com';
export const ASSERTION_SECRET = 'shop-assertion-secret';

/** `im` (public) and `live` serve shop, `im` and `constructor` serve chat, nothing serves `bare`. */
export const CONFIG: NodeConfig = parseConfig(`
public: { port: 0 }
heartbeat: { intervalMs: 45000 }
retry: { minMs: 250, maxMs: 20000 }
apps:
  shop:
    keys: [shop-app-key-number-1, shop-app-key-number-2]
    assertionSecret: ${ASSERTION_SECRET}
    origins: [${SHOP_ORIGIN}]
    tokenTtlMs: 600000
  chat:
    keys: [chat-app-key-number-1]
    origins: [${CHAT_ORIGIN}]
  bare:
    keys: [bare-app-key-number-1]
businesses:
  im: { id: 1, apps: [shop, chat], public: true, keys: [im-business-key-number-1] }
  live: { id: 2, apps: [shop], keys: [live-business-key-number-1] }
  constructor: { id: 3, apps: [chat], keys: [constructor-business-key] }
`);

/** A node that takes clients, unless `changes` say otherwise. */
export function leaseOf(name: string, changes: Partial<NodeRecord> = {}, leftMs = 4_000): NodeLease {
  const record: NodeRecord = {
    name,
    incarnation: `incarnation-of-${name}`,
    version: '0.1.0',
    roles: ['access', 'bridge', 'control'],
    region: 'default',
    startedAtMs: 0,
    draining: false,
    accessPoints: { tcp: `${name}:7100`, ws: `${name}:7101` },
    workers: [0, 0],
    connections: 0,
    connectionLimit: 1_000,
    load: 0,
    ...changes,
  };
  return { record, leftMs };
}

/** The node as the control layer sees it; `ready`, `points` and `others` are the test's to change. */
export class FakeNode implements NodeView {
  ready = true;
  points: AccessAddresses = { tcp: '127.0.0.1:7100', ws: '127.0.0.1:7101' };
  others: readonly NodeLease[] = [];

  nodes(): readonly NodeLease[] {
    return [leaseOf('own', { accessPoints: this.points, workers: this.ready ? [0] : [-1] }), ...this.others];
  }

  isReady(): boolean {
    return this.ready;
  }
  notReadyReason(): string {
    return this.ready ? '' : 'access worker 3 is down';
  }
  accessPoints(): AccessAddresses {
    return this.points;
  }
  async metrics(): Promise<string> {
    return '';
  }
  status(): Promise<never> {
    return Promise.reject(new Error('this node has no status'));
  }
  cluster(): never {
    throw new Error('this node has no cluster');
  }
  drain(): never {
    throw new Error('this node does not drain');
  }
}

export interface Control {
  readonly url: string;
  readonly node: FakeNode;
  readonly actor: ServiceActor;
  readonly keys: SigningKeys;
  readonly credentials: Credentials;
  readonly verifier: SyncTokenVerifier;
  /** POSTs a bootstrap; a string goes out as it is. */
  bootstrap(body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

export const silentLog = createLogger({ silent: true });

export async function startControl(t: ExecutionContext, config: NodeConfig = CONFIG): Promise<Control> {
  const dir = await dataDir(t);
  const credentials = await openCredentials(dir, config);
  const { keys } = credentials;
  const current = new CurrentConfig(config);
  const policies = new Policies({ config: current, log: silentLog });
  const deviceSecrets = await DeviceSecrets.open(dir);
  const options = { credentials, issuer: new TokenIssuer({ keys }), deviceSecrets, policies };
  const definition = createControlService(options);
  const node = new FakeNode();
  // The control layer routes nothing.
  const routing = {} as RoutingService;
  const actor = new definition.actor();
  t.true(actor instanceof ControlActor);
  actor.initialize({
    getCustomParameters: () => ({
      context: { config, current, log: silentLog, routing, node },
      options: definition.options,
    }),
  });
  const url = `http://${await actor.start()}`;
  t.teardown(() => actor.stop());
  return {
    url,
    node,
    actor,
    keys,
    credentials,
    verifier: createTokenVerifier({ jwks: keys.publicJwks(), apps: Object.keys(config.apps) }),
    bootstrap: (body, headers = {}) =>
      fetch(`${url}/v1/bootstrap`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}

/** Of a node without access workers. */
export function openCredentials(dir: string, config: NodeConfig = CONFIG): Promise<Credentials> {
  return Credentials.open({ dataDir: dir, log: silentLog, longestLifeMs: longestTokenLifeMs(config) });
}

/** What shop's back-end would sign. */
export function shopAssertion(
  claims: Readonly<Record<string, unknown>> = {},
  secret = ASSERTION_SECRET,
): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 120;
  return new SignJWT({ iss: 'shop', aud: 'trunkline', sub: 'chosen-id', exp, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(secret));
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
}

/** Checks status, media type and code. @returns the problem */
export async function expectProblem(
  t: ExecutionContext,
  response: Response,
  status: number,
  code: string,
): Promise<Problem> {
  t.is(response.status, status);
  t.regex(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
  const problem = (await response.json()) as Problem;
  t.is(problem.code, code);
  t.is(problem.status, status);
  return problem;
}

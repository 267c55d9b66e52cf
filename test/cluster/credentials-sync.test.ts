/** Nodes that share credentials over one store in memory; a store that is away rejects. */
import test, { type ExecutionContext } from 'ava';
import { type ActorRef, EngineUnavailableError } from '../../actors/index.js';
import { keyRecord, readShared, revocationRecord } from '../../cluster/credential-records.js';
import { Credentials } from '../../cluster/credentials.js';
import type { CredentialStore, NodeLease, SharedRecord, StoreMark } from '../../cluster/engines/contract/index.js';
import { createEmbeddedEngine } from '../../cluster/engines/embedded/index.js';
import { RevocationNotSpreadError } from '../../cluster/revocations.js';
import { KeysNotDistributedError } from '../../cluster/signing-rotation.js';
import type { RevocationChange } from '../../tokens/index.js';
import { captureLog } from '../support/log-capture.js';
import { eventually } from '../support/start-test-node.js';
import { dataDir } from '../tokens/fixtures.js';
import { nodeRecord } from './engines/under-test.js';

/** A store that can be away, and be emptied. */
class SwitchedStore implements CredentialStore {
  isAway = false;
  #store = createEmbeddedEngine().credentials;
  readonly #listeners: (() => void)[] = [];

  empty(): void {
    this.#store = createEmbeddedEngine().credentials;
  }

  async put(records: readonly SharedRecord[]): Promise<StoreMark> {
    const mark = await this.#reach().put(records);
    for (const listener of this.#listeners) setImmediate(listener);
    return mark;
  }

  read = async (since?: StoreMark) => this.#reach().read(since);
  confirm = async (incarnation: string, mark: StoreMark) => this.#reach().confirm(incarnation, mark);
  confirmed = async (incarnations: readonly string[]) => this.#reach().confirmed(incarnations);

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #reach(): CredentialStore {
    if (this.isAway) throw new EngineUnavailableError(false);
    return this.#store;
  }
}

class Service {
  readonly store = new SwitchedStore();
  readonly leases: NodeLease[] = [];
  readonly #t: ExecutionContext;

  constructor(t: ExecutionContext) {
    this.#t = t;
  }

  async start(name: string, dir?: string) {
    const incarnation = name.padStart(16, '0');
    const logs = captureLog();
    const home = dir ?? (await dataDir(this.#t));
    const credentials = await Credentials.open({ dataDir: home, log: logs.log, longestLifeMs: 60_000 });
    this.#t.teardown(() => credentials.stop());
    const told: RevocationChange[] = [];
    const worker = {
      sendAndReceive: async (topic: string, message: { rules: RevocationChange[] }) => {
        if (topic === 'revoke') told.push(...message.rules);
        return { closed: 0 };
      },
    };
    const nodes = () => this.leases;
    await credentials.share({ store: this.store, node: name, incarnation, nodes });
    this.leases.push({ record: nodeRecord(incarnation, { name }), leftMs: 1_000 });
    credentials.attach(0, worker as unknown as ActorRef);
    return { credentials, logs, told, dir: home };
  }
}

const kidsOf = ({ keys }: Credentials) => keys.publicJwks().keys.map(({ kid }) => kid);

test('shared credentials: what is revoked and lifted at one node is so at the others, workers included', async (t) => {
  const service = new Service(t);
  const [a, b] = [await service.start('a'), await service.start('b')];
  await a.credentials.revoke({ kind: 'identity', app: 'shop', deviceId: 'd' });
  await a.credentials.revoke({ kind: 'token', app: 'shop', jti: 'j' });
  await eventually(() => b.credentials.isIdentityRevoked('shop', 'd') && b.credentials.revocations === 3);
  await eventually(() => b.told.some(({ kind }) => kind === 'token'));
  t.true(await b.credentials.liftRevocation('shop', 'd'));
  await eventually(() => !a.credentials.isIdentityRevoked('shop', 'd'));
  const c = await service.start('c');
  t.false(c.credentials.isIdentityRevoked('shop', 'd'));
  t.is(c.credentials.revocations, 2, 'a node that starts knows all before anybody logs in');
});

test('shared credentials: told while the engine is away, in force here and said so, and everywhere when it is back', async (t) => {
  const service = new Service(t);
  const [a, b] = [await service.start('a'), await service.start('b')];
  service.store.isAway = true;
  const error = await t.throwsAsync(a.credentials.revoke({ kind: 'identity', app: 'shop', deviceId: 'd' }), {
    instanceOf: RevocationNotSpreadError,
    code: 'TRK_REVOCATION_NOT_SPREAD',
  });
  t.true((error as RevocationNotSpreadError).retryable);
  t.true(a.credentials.isIdentityRevoked('shop', 'd'));
  t.false(b.credentials.isIdentityRevoked('shop', 'd'));
  await t.throwsAsync(a.credentials.rotateKeys(), { instanceOf: KeysNotDistributedError, message: /Redis is away/ });
  service.store.isAway = false;
  await eventually(() => b.credentials.isIdentityRevoked('shop', 'd'));
});

test('shared credentials: a node that is started again tells what it was told while the engine was away', async (t) => {
  const service = new Service(t);
  const a = await service.start('a');
  service.store.isAway = true;
  await t.throwsAsync(a.credentials.revoke({ kind: 'token', app: 'shop', jti: 'j' }));
  await a.credentials.stop();
  service.leases.length = 0;
  service.store.isAway = false;
  const b = await service.start('b');
  t.is(b.credentials.revocations, 0);
  await service.start('a', a.dir);
  await eventually(() => b.credentials.revocations === 1);
});

test('shared credentials: an emptied engine is filled again, and an old revocation does not undo a lift', async (t) => {
  const service = new Service(t);
  const [a, b] = [await service.start('a'), await service.start('b')];
  await a.credentials.revoke({ kind: 'identity', app: 'shop', deviceId: 'd' });
  await eventually(() => b.credentials.isIdentityRevoked('shop', 'd'));
  await b.credentials.stop();
  service.leases.pop();
  await a.credentials.liftRevocation('shop', 'd');
  service.store.isAway = true;
  await eventually(() => /credentials are not shared/.test(a.logs.text()));
  service.store.empty();
  service.store.isAway = false;
  await eventually(() => /credentials are shared again/.test(a.logs.text()));
  const again = await service.start('b', b.dir);
  t.false(again.credentials.isIdentityRevoked('shop', 'd'));
  await eventually(() => a.credentials.revocations === 1 && again.credentials.revocations === 1);
});

test('shared credentials: every node accepts a new key before it signs; private keys stay', async (t) => {
  const service = new Service(t);
  const [a, b] = [await service.start('a'), await service.start('b')];
  await eventually(() => kidsOf(a.credentials).length === 2 && kidsOf(b.credentials).length === 2);
  const { kid, previousKid } = await a.credentials.rotateKeys();
  t.true(kidsOf(b.credentials).includes(kid));
  t.true(kidsOf(b.credentials).includes(previousKid));
  t.not(b.credentials.keys.current.kid, kid, 'each signs with its own');
  const c = await service.start('c');
  t.is(kidsOf(c.credentials).length, 4);
  const { records } = await service.store.read();
  t.false(records.some(({ value }) => value.includes('"d":')));
});

test('shared credentials: a node that does not take a new key stops the rotation and is named', async (t) => {
  const service = new Service(t);
  const a = await service.start('a');
  service.leases.push({ record: nodeRecord('00000000000000ff', { name: 'deaf' }), leftMs: 1_000 });
  const before = a.credentials.keys.current.kid;
  const error = await t.throwsAsync(a.credentials.rotateKeys(), { instanceOf: KeysNotDistributedError });
  t.deepEqual((error as KeysNotDistributedError).nodes, ['deaf']);
  t.is(a.credentials.keys.current.kid, before);
  service.leases.pop();
  t.is((await a.credentials.rotateKeys()).previousKid, before, 'gone, it does not count');
});

test('shared credentials: a record that is not in its form is left alone', async (t) => {
  const rule: RevocationChange = { kind: 'app', app: 'shop', beforeMs: 1, untilMs: 2 };
  t.deepEqual(readShared(revocationRecord(rule)), { type: 'revocation', change: rule });
  const values = [
    '',
    'null',
    '[]',
    '{',
    '{"key":{"node":"a","untilMs":1,"jwk":{"kty":"OKP"}}}',
    '{"revocation":{"kind":"x"}}',
  ];
  for (const value of values) t.is(readShared({ key: 'k', order: 1, untilMs: 0, value }), undefined);
  const service = new Service(t);
  await service.store.put(values.map((value, i) => ({ key: `k-${i}`, order: 1, untilMs: 0, value })));
  const a = await service.start('a');
  await a.credentials.revoke({ kind: 'app', app: 'shop' });
  t.is(a.credentials.revocations, 1);
});

test('shared credentials: a node says of its key that it goes on, every hour, and last when it ends', async (t) => {
  const { credentials } = await new Service(t).start('a');
  const [key] = credentials.keys.ownKeys();
  if (key === undefined) return t.fail();
  const at = (nowMs: number, endsMs?: number) => keyRecord('a', { jwk: key.jwk, endsMs }, 1_000, nowMs);
  const hourMs = 3_600_000;
  t.deepEqual(at(5 * hourMs), at(6 * hourMs - 1));
  t.true(at(6 * hourMs).order > at(5 * hourMs).order);
  t.true(at(6 * hourMs).untilMs > at(5 * hourMs).untilMs);
  t.true(at(5 * hourMs, 42).order > at(5 * hourMs).order);
  t.is(at(5 * hourMs, 42).untilMs, 42);
});

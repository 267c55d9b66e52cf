/** Rotation and revocation towards workers that hang, die or are just starting; each worker is an object with one method. */
import test, { type ExecutionContext } from 'ava';
import type { ActorRef } from '../../actors/index.js';
import { Credentials } from '../../cluster/credentials.js';
import { KeysNotDistributedError } from '../../cluster/signing-rotation.js';
import { captureLog } from '../support/log-capture.js';
import { dataDir } from '../tokens/fixtures.js';

type Answer = (topic: string, message: unknown) => Promise<unknown>;

async function openCredentials(t: ExecutionContext) {
  const logs = captureLog();
  const credentials = await Credentials.open({ dataDir: await dataDir(t), log: logs.log, longestLifeMs: 60_000 });
  t.teardown(() => credentials.stop());
  return { credentials, logs };
}

const worker = (sendAndReceive: Answer) => ({ sendAndReceive }) as unknown as ActorRef;
const never = () => new Promise<never>(() => {});

test('signing rotation: every worker is told before the new key signs', async (t) => {
  const { credentials } = await openCredentials(t);
  const before = credentials.keys.current.kid;
  const signedBy: string[] = [];
  for (const index of [0, 1]) {
    credentials.attach(
      index,
      worker(async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        signedBy.push(credentials.keys.current.kid);
      }),
    );
  }
  const { kid } = await credentials.rotateKeys();
  t.deepEqual(signedBy, [before, before]);
  t.is(credentials.keys.current.kid, kid);
});

test('signing rotation: a worker that hangs stops it, and the next try takes up the same key', async (t) => {
  const { credentials, logs } = await openCredentials(t);
  const before = credentials.keys.current.kid;
  credentials.attach(
    0,
    worker(async () => undefined),
  );
  credentials.attach(1, worker(never));
  const error = await t.throwsAsync(credentials.rotateKeys(), {
    instanceOf: KeysNotDistributedError,
    code: 'TRK_KEYS_NOT_DISTRIBUTED',
  });
  t.deepEqual((error as KeysNotDistributedError).workers, [1]);
  t.is(credentials.keys.current.kid, before);
  t.regex(logs.text(), /access worker is slow to take a change of credentials/);
  const published = credentials.keys.publicJwks().keys.map(({ kid }) => kid);
  credentials.detach(1);
  t.is((await credentials.rotateKeys()).kid, published[1] ?? '');
});

test('signing rotation: a worker that dies meanwhile does not count, since it starts with the new keys', async (t) => {
  const { credentials } = await openCredentials(t);
  const dying = worker(async () => {
    credentials.detach(0);
    throw new Error('thread ended');
  });
  credentials.attach(0, dying);
  const { kid } = await credentials.rotateKeys();
  const held = credentials.attach(
    0,
    worker(async () => undefined),
  );
  t.true(held.jwks.keys.some((key) => key.kid === kid));
});

test('revocation: connections that the workers close are added up, one that hangs is logged', async (t) => {
  const { credentials, logs } = await openCredentials(t);
  credentials.attach(
    0,
    worker(async () => ({ closed: 2 })),
  );
  credentials.attach(
    1,
    worker(async () => ({ closed: 3 })),
  );
  credentials.attach(2, worker(never));
  const { closed } = await credentials.revoke({ kind: 'device', app: 'shop', deviceId: 'd' });
  t.is(closed, 5);
  t.regex(logs.text(), /access worker is slow to take a change of credentials/);
  t.is(credentials.attach(3, worker(never)).revocations.length, 1);
});

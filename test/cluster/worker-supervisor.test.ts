import test, { type ExecutionContext } from 'ava';
import { actorPath } from '../../cluster/actor-system.js';
import { WorkerSupervisor, type WorkerSupervisorOptions } from '../../cluster/worker-supervisor.js';
import { captureLog } from '../support/log-capture.js';
import { pause, startComedy } from '../support/start-comedy.js';

const RESTART = { firstBackoffMs: 10, maxBackoffMs: 40, maxFailures: 4 };

test('worker supervisor: what dies every time is started anew with longer waits, then given up', async (t) => {
  const { supervisor, calls, logs, gaveUp } = await createSupervisor(t, 'dying-actor');
  await supervisor.start();
  t.is((await gaveUp).message, 'dies every time');
  t.false(supervisor.isUp);
  t.is(supervisor.ref, undefined);
  t.deepEqual(
    calls,
    [0, 1, 2, 3, 4].flatMap((generation) => [`up ${generation}`, 'down']),
  );
  const lines = logs().filter(({ message }) => message === 'access worker restarts');
  t.deepEqual(
    lines.map(({ delayMs }) => delayMs),
    [10, 20, 40, 40],
  );
  t.like(logs().at(-1), { level: 'error', message: 'access worker given up', failures: 5 });
});

test('worker supervisor: the first start that fails is told and not tried again', async (t) => {
  const { supervisor, calls, root } = await createSupervisor(t, 'probe-actor', {
    onUp: () => Promise.reject(new Error('port taken')),
  });
  await t.throwsAsync(supervisor.start(), { message: 'port taken' });
  t.false(supervisor.isUp);
  t.deepEqual(calls, ['down'], 'what it had begun is cleared away');
  t.is(root.childPromises.length, 0);
});

test('worker supervisor: a death while it starts is told', async (t) => {
  const { supervisor, calls } = await createSupervisor(t, 'dying-actor', {
    onUp: async (ref) => {
      await ref.sendAndReceive('start', {});
      return new Promise(() => {});
    },
  });
  // An error that crossed a thread is none of this realm's natives, which `throwsAsync` wants.
  const error: unknown = await supervisor.start().catch((thrown: unknown) => thrown);
  t.is((error as Error).message, 'dies every time');
  t.deepEqual(calls, ['down']);
});

test('worker supervisor: a restart that fails is tried again, and cleared away each time', async (t) => {
  let ups = 0;
  const { supervisor, calls, gaveUp } = await createSupervisor(t, 'dying-actor', {
    onUp: async (ref) => {
      ups += 1;
      if (ups === 2 || ups === 3) throw new Error('not yet');
      await ref.sendAndReceive('start', {});
    },
  });
  await supervisor.start();
  await gaveUp;
  t.is(ups, 5);
  t.deepEqual(calls, Array(5).fill('down'));
});

test('worker supervisor: that what it left could not be cleared away keeps no worker from its restart', async (t) => {
  const { supervisor, logs, gaveUp } = await createSupervisor(t, 'dying-actor', {
    onDown: () => Promise.reject(new Error('engine is away')),
  });
  await supervisor.start();
  await gaveUp;
  t.is(logs().filter(({ error }) => error === 'Error: engine is away').length, 5);
});

test('worker supervisor: stopped while its thread is being made, it leaves none', async (t) => {
  const { supervisor, calls, root } = await createSupervisor(t, 'probe-actor');
  const started = supervisor.start();
  await supervisor.stop();
  await t.throwsAsync(started, { message: /stopped/ });
  t.is(root.childPromises.length, 0);
  t.deepEqual(calls, []);
});

test('worker supervisor: stopped, it starts nothing again and says nothing of a crash', async (t) => {
  const { supervisor, calls, root, logs } = await createSupervisor(t, 'probe-actor');
  await supervisor.start();
  t.true(supervisor.isUp);
  t.is(typeof (await supervisor.ref?.sendAndReceive('threadId')), 'number');
  await Promise.all([supervisor.stop(), supervisor.stop()]);
  t.false(supervisor.isUp);
  await pause(50);
  t.deepEqual(calls, ['up 0']);
  t.is(root.childPromises.length, 0);
  t.deepEqual(logs(), []);
});

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly delayMs?: number;
  readonly error?: string;
}

async function createSupervisor(
  t: ExecutionContext,
  actor: string,
  options: Partial<Pick<WorkerSupervisorOptions, 'onUp' | 'onDown'>> = {},
) {
  const { root } = await startComedy(t);
  const capture = captureLog();
  const calls: string[] = [];
  let giveUp = (_error: Error): void => {};
  const gaveUp = new Promise<Error>((resolve) => {
    giveUp = resolve;
  });
  const supervisor = new WorkerSupervisor({
    index: 0,
    parent: root,
    modulePath: actorPath(import.meta.url, `../support/${actor}.js`),
    log: capture.log,
    restart: RESTART,
    onUp: async (ref, generation) => {
      calls.push(`up ${generation}`);
      if (actor === 'dying-actor') await ref.sendAndReceive('start', {});
    },
    onDown: async () => void calls.push('down'),
    onGiveUp: giveUp,
    ...options,
  });
  t.teardown(() => supervisor.stop());
  const logs = (): LogLine[] =>
    capture
      .text()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { supervisor, calls, logs, gaveUp, root };
}

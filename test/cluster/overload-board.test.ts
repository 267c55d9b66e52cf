import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import {
  beatNow,
  createOverloadBoard,
  MAIN_ROW,
  MEMORY_ROW,
  OverloadBoard,
  rowOfWorker,
} from '../../cluster/overload-board.js';

const LIMIT_MS = 500;
const CALM = { loop: 0, memory: 0 } as const;

test('overload board: what one thread writes another reads', (t) => {
  const shared = createOverloadBoard(2);
  const written = new OverloadBoard(shared);
  const read = new OverloadBoard(shared);
  t.is(read.rows, 4);
  written.write(rowOfWorker(1), { loop: 2, memory: 1 }, 1_000);
  t.deepEqual(read.read(rowOfWorker(1), 1_010, LIMIT_MS), { level: 2, cause: 'loop' });
  written.write(rowOfWorker(1), { loop: 0, memory: 1 }, 1_020);
  t.deepEqual(read.read(rowOfWorker(1), 1_030, LIMIT_MS), { level: 1, cause: 'memory' });
  t.deepEqual(read.read(rowOfWorker(0), 1_030, LIMIT_MS), { level: 0 });
});

test('overload board: a thread that falls silent is overloaded', (t) => {
  const board = new OverloadBoard(createOverloadBoard(1));
  board.write(rowOfWorker(0), CALM, 1_000);
  t.deepEqual(board.read(rowOfWorker(0), 3_999, LIMIT_MS), { level: 0 });
  t.deepEqual(board.read(rowOfWorker(0), 4_000, LIMIT_MS), { level: 1, cause: 'silent' });
  t.deepEqual(board.read(rowOfWorker(0), 4_000, 2_000), { level: 0 }, 'a patient limit waits longer');
});

test('overload board: the silence is measured over the end of the clock', (t) => {
  const board = new OverloadBoard(createOverloadBoard(1));
  board.write(MAIN_ROW, CALM, 0x7fff_fff0);
  t.deepEqual(board.read(MAIN_ROW, -0x8000_0000, LIMIT_MS), { level: 0 });
  t.deepEqual(board.read(MAIN_ROW, -0x8000_0000 + 3_000, LIMIT_MS), { level: 1, cause: 'silent' });
});

test('overload board: a thread that has ended, or not begun, says nothing', (t) => {
  const board = new OverloadBoard(createOverloadBoard(1));
  t.deepEqual(board.read(rowOfWorker(0), 99_999, LIMIT_MS), { level: 0 });
  board.write(rowOfWorker(0), { loop: 2, memory: 0 }, 1_000);
  board.clear(rowOfWorker(0));
  t.deepEqual(board.read(rowOfWorker(0), 99_999, LIMIT_MS), { level: 0 });
});

test('overload board: the row of the memory cannot fall silent', (t) => {
  const board = new OverloadBoard(createOverloadBoard(1));
  board.write(MEMORY_ROW, CALM, 1_000);
  t.deepEqual(board.read(MEMORY_ROW, 99_999, LIMIT_MS), { level: 0 });
  board.write(MEMORY_ROW, { loop: 0, memory: 2 }, 1_000);
  t.deepEqual(board.read(MEMORY_ROW, 99_999, LIMIT_MS), { level: 2, cause: 'memory' });
});

test('overload board: all threads share one clock', async (t) => {
  const module = new URL('../../cluster/overload-board.js', import.meta.url).href;
  const code = `import('${module}').then(({ beatNow }) => require('node:worker_threads').parentPort.postMessage(beatNow()))`;
  await delay(5);
  const before = beatNow();
  const thread = new Worker(code, { eval: true });
  const theirs = await new Promise<number>((resolve) => thread.once('message', resolve));
  t.true(((theirs - before) | 0) >= 0 && ((beatNow() - theirs) | 0) >= 0);
});

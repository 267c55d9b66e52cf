/** A Redis server of the benchmark's own, on the server's core, empty and never written to disk. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BenchError } from '../measure/bench-error.js';
import { removeAtExit } from '../measure/child-process.js';
import { pinned } from '../measure/pinning.js';

export interface BenchRedis {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** @throws {BenchError} there is no `redis-server`, or it did not start */
export async function startRedis(): Promise<BenchRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
  removeAtExit(dir);
  const port = await freePort();
  const options = { port, bind: '127.0.0.1', save: '', appendonly: 'no', dir };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const [program = '', ...rest] = pinned('server', ['redis-server', ...args]);
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  const ended = once(child, 'close').catch(() => undefined);
  let said = '';
  for await (const line of createInterface({ input: child.stdout })) {
    said += `${line}\n`;
    if (line.includes('Ready to accept connections')) break;
  }
  child.stdout.resume();
  if (child.pid === undefined || child.exitCode !== null) throw new BenchError(`redis-server did not start: ${said}`);
  return {
    pid: child.pid,
    port,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      process.off('exit', kill);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

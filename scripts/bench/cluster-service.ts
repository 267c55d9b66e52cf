/**
 * Several nodes and the Redis in which they meet, all on the server's core: what is measured is what the whole service
 * costs, not what it costs one of its processes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BenchError } from './measure/bench-error.js';
import { removeAtExit } from './measure/child-process.js';
import { pinned } from './measure/pinning.js';
import { machineBusyUs, sampleCpu } from './measure/process-sample.js';
import { startTrunkline, type TrunklineServer } from './node/trunkline-server.js';

export interface BenchService {
  readonly nodes: readonly TrunklineServer[];
  /** @returns a function that ends the measurement */
  startUsage(): () => ServiceUsage;
  stop(): Promise<void>;
}

export interface ServiceUsage {
  readonly seconds: number;
  /** All nodes, all threads. */
  readonly nodesUs: number;
  readonly redisUs: number;
  /** CPU that neither the service nor this process used, share of one core: above 0.1, do not trust the figures. */
  readonly othersShare: number;
}

/** @param size how many nodes, each with one access worker */
export async function startService(size: number): Promise<BenchService> {
  const redis = await startRedis();
  const engine = { type: 'redis' as const, addresses: [`127.0.0.1:${redis.port}`] };
  const nodes: TrunklineServer[] = [];
  for (let n = 1; n <= size; n++) {
    nodes.push(await startTrunkline({ member: { name: `bench-${n}`, engine, keysOf: nodes[0]?.dataDir } }));
  }
  return {
    nodes,
    startUsage: () =>
      startUsage(
        nodes.map(({ pid }) => pid),
        redis.pid,
      ),
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
      await redis.stop();
    },
  };
}

function startUsage(nodePids: readonly number[], redisPid: number): () => ServiceUsage {
  const nodesUs = () => nodePids.reduce((sum, pid) => sum + sampleCpu(pid).totalUs, 0);
  const redisUs = () => sampleCpu(redisPid).totalUs;
  const before = { nodesUs: nodesUs(), redisUs: redisUs(), machineUs: machineBusyUs(), own: process.cpuUsage() };
  const startedMs = performance.now();
  return () => {
    const seconds = (performance.now() - startedMs) / 1e3;
    const own = process.cpuUsage(before.own);
    const used = { nodesUs: nodesUs() - before.nodesUs, redisUs: redisUs() - before.redisUs };
    const othersUs = machineBusyUs() - before.machineUs - used.nodesUs - used.redisUs - own.user - own.system;
    return { seconds, ...used, othersShare: Math.max(0, othersUs / 1e6 / seconds) };
  };
}

interface BenchRedis {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

async function startRedis(): Promise<BenchRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
  removeAtExit(dir);
  const port = await freePort();
  const options = { port, bind: '127.0.0.1', save: '', appendonly: 'no', dir };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const [program = '', ...rest] = pinned('server', ['redis-server', ...args]);
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  const ended = once(child, 'close');
  const { stdout, pid } = child;
  const lines = createInterface({ input: stdout });
  let said = '';
  for await (const line of lines) {
    said += `${line}\n`;
    if (line.includes('Ready to accept connections')) break;
  }
  stdout.resume();
  if (pid === undefined || child.exitCode !== null) throw new BenchError(`redis-server did not start: ${said}`);
  return {
    pid,
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

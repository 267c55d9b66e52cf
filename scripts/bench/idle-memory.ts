/**
 * What an idle authenticated connection costs in private memory: a fresh node, 15,000 logins, a quiet time. Nothing is
 * forced (no `--expose-gc`); V8 returns what it returns by itself while the node is idle.
 */
import { startBareAccept } from './baseline/bare-servers.js';
import { sleep } from './load/clock.js';
import { Fleet, type Protocol } from './load/fleet.js';
import { cpuBetween, privateBytes, sampleCpu, waitUntilIdle } from './measure/process-sample.js';
import type { Figure } from './measure/report.js';
import { runAsMain, type Scenario, type ScenarioOptions } from './measure/scenario.js';
import { loginFrom, startTrunkline } from './node/trunkline-server.js';

const KIB = 1024;

interface Idle {
  /** Private memory of the fresh server, bytes. */
  readonly before: number;
  readonly perConnection: number;
  /** CPU of holding them, share of one core. */
  readonly cpuShare: number;
}

export const scenario: Scenario = {
  defaults: { seconds: 12, connections: 15_000 },
  run: async (options) => {
    const ws = await measureNode('ws', options);
    const tcp = await measureNode('tcp', options);
    const bareWs = await measureBare('ws', options);
    const bareTcp = await measureBare('tcp', options);
    const perConnection = (name: string, idle: Idle): Figure => ({
      name,
      value: idle.perConnection / KIB,
      unit: 'KiB',
    });
    return {
      title: 'Idle memory',
      conditions: { connections: options.connections, settle: `${options.windowMs / 1e3} s`, workers: 1 },
      figures: [
        { name: 'ws connection / bare ws', value: ws.perConnection / bareWs.perConnection, unit: 'x' },
        { ...perConnection('ws connection', ws), aim: { atMost: 9 } },
        perConnection('tcp connection', tcp),
        perConnection('ws connection, bare', bareWs),
        perConnection('tcp connection, bare', bareTcp),
        { name: 'node before connections', value: ws.before / KIB / KIB, unit: 'MiB' },
        { name: 'CPU of holding them (ws)', value: ws.cpuShare * 100, unit: '% of a core' },
      ],
      notes: ['Private memory (smaps_rollup, Private_Clean + Private_Dirty) after minus before, over connections.'],
    };
  },
};

async function measureNode(protocol: Protocol, options: ScenarioOptions): Promise<Idle> {
  const server = await startTrunkline({ cpuProfDir: options.cpuProfDir });
  const login = loginFrom(await server.logins(options.connections));
  const idle = await measure(server.pid, options, () =>
    Fleet.open({ protocol, port: server.port(protocol), size: options.connections, login }),
  );
  await server.stop();
  return idle;
}

async function measureBare(protocol: Protocol, options: ScenarioOptions): Promise<Idle> {
  const server = await startBareAccept(protocol);
  const login = () => new Uint8Array([0, 0, 0, 3]);
  const idle = await measure(server.process.pid, options, () =>
    Fleet.open({ protocol, port: server.port, size: options.connections, login }),
  );
  await server.process.stop();
  return idle;
}

async function measure(pid: number, options: ScenarioOptions, open: () => Promise<Fleet>): Promise<Idle> {
  await waitUntilIdle(pid);
  const before = privateBytes(pid);
  const fleet = await open();
  await waitUntilIdle(pid);
  const cpuBefore = sampleCpu(pid);
  await sleep(options.windowMs);
  const cpu = cpuBetween(cpuBefore, sampleCpu(pid), pid);
  const after = privateBytes(pid);
  fleet.assertWhole();
  await fleet.close();
  return {
    before,
    perConnection: (after - before) / options.connections,
    cpuShare: cpu.totalUs / 1e3 / options.windowMs,
  };
}

await runAsMain(import.meta, scenario);

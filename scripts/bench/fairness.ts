/**
 * Unicast while a 15,000-member multicast runs, against unicast on the idle node: how much one business's fan-out
 * delays another message. The unicasts are sent and timed by a process of its own (`fairness-probe.ts`), because
 * the one that holds the members is busy reading; that one also lowers its priority below the probe's.
 */
import { writeFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { type ProbeJob, type ProbeResult, probeConnections } from './fairness-probe.js';
import { PacerSlot } from './fanout/fanout-run.js';
import { sleep } from './load/clock.js';
import { Fleet } from './load/fleet.js';
import { HttpPoster } from './load/http-poster.js';
import { RatePacer } from './load/pacer.js';
import { stampedPayload } from './load/stamp.js';
import { BenchError } from './measure/bench-error.js';
import { BenchProcess } from './measure/child-process.js';
import { waitUntilIdle } from './measure/process-sample.js';
import { runAsMain, type Scenario, type ScenarioOptions } from './measure/scenario.js';
import { startUsage } from './measure/usage.js';
import { BUSINESS_ID, loginFrom, startTrunkline, type TrunklineServer } from './node/trunkline-server.js';

const MULTICASTS_PER_SECOND = 4;
const UNICASTS_PER_SECOND = 100;
const PAYLOAD_BYTES = 128;
const GROUP = 'room';
/** Of the process that holds the members; the probe keeps 0. */
const LOWER_PRIORITY = 10;

export const scenario: Scenario = {
  defaults: { seconds: 8, connections: 15_000 },
  run: async (options) => {
    const server = await startTrunkline({ cpuProfDir: options.cpuProfDir });
    const slot = new PacerSlot();
    const login = loginFrom(await server.logins(options.connections));
    const port = server.port('ws');
    const fleet = await Fleet.open({ protocol: 'ws', port, size: options.connections, login, onReads: slot.onReads });
    await fleet.join(BUSINESS_ID, GROUP);
    const job = await writeJob(server, options);
    await waitUntilIdle(server.pid);
    const idle = await probe(job);
    const busy = await probeWhileMulticasting(server, fleet, slot, job);
    fleet.assertWhole();
    await fleet.close();
    await server.stop();
    return {
      title: 'Fairness',
      conditions: {
        members: `${options.connections} over ws`,
        multicasts: `${MULTICASTS_PER_SECOND}/s`,
        unicasts: `${UNICASTS_PER_SECOND}/s by HTTP to ${probeConnections} other devices, sent and timed by another process`,
        payload: `${PAYLOAD_BYTES} bytes`,
        window: `${options.windowMs / 1e3} s`,
        workers: 1,
      },
      figures: [
        { name: 'p99 above idle', value: (busy.p99Us - idle.p99Us) / 1e3, unit: 'ms', aim: { atMost: 10 } },
        { name: 'p99, idle', value: idle.p99Us / 1e3, unit: 'ms' },
        { name: 'p99, while multicasting', value: busy.p99Us / 1e3, unit: 'ms' },
        { name: 'p50, idle', value: idle.p50Us / 1e3, unit: 'ms' },
        { name: 'p50, while multicasting', value: busy.p50Us / 1e3, unit: 'ms' },
        { name: 'unicasts timed', value: busy.count, unit: '' },
        { name: 'multicast deliveries', value: busy.deliveriesPerSecond, unit: '/s' },
        { name: 'server load while multicasting', value: busy.cpuShare * 100, unit: '% of its core' },
        { name: 'other processes, the probe with them', value: busy.othersShare * 100, unit: '% of a core' },
      ],
      notes: ['From the moment a unicast was due to be posted to the moment its device had read it.'],
    };
  },
};

async function writeJob(server: TrunklineServer, { connections, windowMs }: ScenarioOptions): Promise<string> {
  const logins = await server.logins(probeConnections, connections);
  const job: ProbeJob = {
    port: server.port('ws'),
    bridge: server.bridge,
    firstDevice: connections,
    logins: logins.map((login) => Buffer.from(login).toString('base64')),
    perSecond: UNICASTS_PER_SECOND,
    payloadBytes: PAYLOAD_BYTES,
    windowMs,
  };
  const file = join(server.dataDir, 'probe.json');
  await writeFile(file, JSON.stringify(job), { mode: 0o600 });
  return file;
}

async function probe(job: string, started: () => void = () => {}): Promise<ProbeResult> {
  const process = new BenchProcess(`${import.meta.dirname}/fairness-probe.js`, [job], { side: 'load' });
  started();
  const result = await process.message<ProbeResult>('p99Us', 120_000);
  await process.stop();
  return result;
}

async function probeWhileMulticasting(server: TrunklineServer, fleet: Fleet, slot: PacerSlot, job: string) {
  const poster = await HttpPoster.open({ ...server.bridge, connections: 2 });
  let failure: string | undefined;
  const pacer = new RatePacer(MULTICASTS_PER_SECOND, (dueUs) => {
    const payload = stampedPayload(PAYLOAD_BYTES, dueUs).toString('base64');
    const wire = poster.prepare(`/v1/groups/${GROUP}/push`, Buffer.from(`{"payloadBase64":"${payload}"}`));
    poster.post(wire, (status) => {
      if (status !== 200) failure ??= `a multicast was answered ${status}`;
    });
  });
  slot.tick = () => pacer.tick();
  pacer.start();
  await sleep(1_000);
  const endUsage = startUsage(server.pid);
  const pushesBefore = fleet.traffic.pushes;
  // Only now: a process starts with the priority of the one that starts it.
  const result = await probe(job, () => setPriority(LOWER_PRIORITY));
  const { seconds, cpuUs, othersShare } = endUsage();
  pacer.stop();
  await sleep(1_000);
  poster.close();
  if (failure !== undefined) throw new BenchError(failure);
  return {
    ...result,
    deliveriesPerSecond: (fleet.traffic.pushes - pushesBefore) / seconds,
    cpuShare: cpuUs / 1e6 / seconds,
    othersShare,
  };
}

await runAsMain(import.meta, scenario);

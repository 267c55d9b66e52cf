/**
 * What TLS costs beside plain links: handshakes, full and resumed; memory of an idle authenticated connection; CPU per
 * delivery in a live room. All servers run one after the other in one run.
 */
import { startBareAccept } from './baseline/bare-servers.js';
import { PacerSlot, runFanout } from './fanout/fanout-run.js';
import { openTrunklineAudience } from './fanout/trunkline-audience.js';
import { Fleet, type FleetOptions, type Protocol } from './load/fleet.js';
import { BenchError } from './measure/bench-error.js';
import { median } from './measure/measured-window.js';
import { privateBytes, waitUntilIdle } from './measure/process-sample.js';
import type { Figure } from './measure/report.js';
import { runAsMain, type Scenario, type ScenarioOptions } from './measure/scenario.js';
import { startUsage } from './measure/usage.js';
import { loginFrom, startTrunkline } from './node/trunkline-server.js';

const HANDSHAKES = 2_000;
const WARM_HANDSHAKES = 500;
const IN_FLIGHT = 64;
const MEMBERS = 1_000;
const PACE = { perSecond: 500, payloadBytes: 128 };
const KIB = 1024;

export const scenario: Scenario = {
  defaults: { seconds: 4, connections: 10_000, runs: 3 },
  run: async (options) => {
    const handshakes = await measureHandshakes();
    const memory = {
      tls: await measureMemory('tls', options),
      wss: await measureMemory('wss', options),
      tcp: await measureMemory('tcp', options),
      ws: await measureMemory('ws', options),
      bare: await measureBareMemory(options),
    };
    const delivery = await measureDeliveries(options);
    const kib = (name: string, bytes: number): Figure => ({ name, value: bytes / KIB, unit: 'KiB' });
    const perSecond = (name: string, us: number): Figure => ({ name, value: 1e6 / us, unit: '/s and core' });
    const us = (name: string, value: number): Figure => ({ name, value, unit: 'µs' });
    const ratio = (name: string, value: number): Figure => ({ name, value, unit: 'x' });
    return {
      title: 'TLS beside plain',
      conditions: {
        certificate: 'P-256, chain of two',
        handshakes: `${HANDSHAKES}, ${IN_FLIGHT} under way at once`,
        'idle connections': options.connections,
        'live room': `${PACE.perSecond} messages/s of ${PACE.payloadBytes} bytes to ${MEMBERS} members`,
        window: `${options.windowMs / 1e3} s`,
        runs: `${options.runs} of the live room, in turns, medians`,
        workers: 1,
      },
      figures: [
        ratio('idle tls connection / bare tls of Node', memory.tls / memory.bare),
        ratio('CPU per delivery, tls / tcp', delivery.tls / delivery.tcp),
        ratio('CPU per delivery, wss / ws', delivery.wss / delivery.ws),
        ratio('CPU of a handshake, resumed / full', handshakes.resumed / handshakes.full),
        perSecond('handshakes, full', handshakes.full),
        perSecond('handshakes, resumed', handshakes.resumed),
        perSecond('handshakes, full, TLS 1.2', handshakes.full12),
        perSecond('handshakes, resumed, TLS 1.2', handshakes.resumed12),
        perSecond('accepts, plain', handshakes.plain),
        kib('idle connection, tls', memory.tls),
        kib('idle connection, wss', memory.wss),
        kib('idle connection, tcp', memory.tcp),
        kib('idle connection, ws', memory.ws),
        kib('idle connection, bare tls of Node', memory.bare),
        us('CPU per delivery, tls', delivery.tls),
        us('CPU per delivery, tcp', delivery.tcp),
        us('CPU per delivery, wss', delivery.wss),
        us('CPU per delivery, ws', delivery.ws),
        { name: 'other processes', value: Math.max(handshakes.others, delivery.others) * 100, unit: '% of a core' },
      ],
      notes: ['Per core is 1 / CPU of the server per handshake. `bare` is `tls.createServer` with nothing else.'],
    };
  },
};

async function measureHandshakes() {
  const server = await startTrunkline({ secure: true });
  let others = 0;
  const cost = async (
    options: Omit<FleetOptions, 'port' | 'size'>,
  ): Promise<{ us: number; session: Buffer | undefined }> => {
    const all = { inFlight: IN_FLIGHT, ...options, port: server.port(options.protocol) };
    await (await Fleet.open({ ...all, size: WARM_HANDSHAKES })).close();
    await waitUntilIdle(server.pid);
    const endUsage = startUsage(server.pid);
    const fleet = await Fleet.open({ ...all, size: HANDSHAKES });
    const usage = endUsage();
    const wanted = options.session === undefined ? 0 : HANDSHAKES;
    if (fleet.resumed !== wanted) throw new BenchError(`${fleet.resumed} sessions resumed instead of ${wanted}`);
    await fleet.close();
    await waitUntilIdle(server.pid);
    others = Math.max(others, usage.othersShare);
    return { us: usage.cpuUs / HANDSHAKES, session: fleet.session };
  };
  const plain = await cost({ protocol: 'tcp' });
  const full = await cost({ protocol: 'tls' });
  const resumed = await cost({ protocol: 'tls', session: full.session });
  const full12 = await cost({ protocol: 'tls', tlsVersion: 'TLSv1.2' });
  const resumed12 = await cost({ protocol: 'tls', tlsVersion: 'TLSv1.2', session: full12.session });
  await server.stop();
  return {
    plain: plain.us,
    full: full.us,
    resumed: resumed.us,
    full12: full12.us,
    resumed12: resumed12.us,
    others,
  };
}

async function measureMemory(protocol: Protocol, { connections }: ScenarioOptions): Promise<number> {
  const server = await startTrunkline({ secure: true });
  const login = loginFrom(await server.logins(connections));
  const bytes = await bytesEach(server.pid, { protocol, port: server.port(protocol), size: connections, login });
  await server.stop();
  return bytes;
}

async function measureBareMemory({ connections }: ScenarioOptions): Promise<number> {
  const server = await startBareAccept('tls');
  const login = () => new Uint8Array([0, 0, 0, 3]);
  const bytes = await bytesEach(server.process.pid, { protocol: 'tls', port: server.port, size: connections, login });
  await server.process.stop();
  return bytes;
}

async function bytesEach(pid: number, options: FleetOptions): Promise<number> {
  await waitUntilIdle(pid);
  const before = privateBytes(pid);
  const fleet = await Fleet.open(options);
  await waitUntilIdle(pid);
  const after = privateBytes(pid);
  fleet.assertWhole();
  await fleet.close();
  return (after - before) / options.size;
}

async function measureDeliveries({ runs, windowMs, cpuProfDir }: ScenarioOptions) {
  const protocols = ['tls', 'tcp', 'wss', 'ws'] as const;
  const found = new Map<Protocol, number[]>(protocols.map((protocol) => [protocol, []]));
  let others = 0;
  const slot = new PacerSlot();
  const { onReads } = slot;
  for (let run = 0; run < runs; run++) {
    for (const protocol of run % 2 === 0 ? protocols : protocols.toReversed()) {
      const audience = await openTrunklineAudience({ protocol, members: MEMBERS, feed: 'stream', cpuProfDir, onReads });
      try {
        const { cpuPerDeliveryUs, lost, othersShare } = await runFanout(audience, { ...PACE, windowMs }, slot);
        if (lost > 0) throw new BenchError(`${lost} deliveries were lost over ${protocol}`);
        found.get(protocol)?.push(cpuPerDeliveryUs);
        others = Math.max(others, othersShare);
      } finally {
        await audience.close();
      }
    }
  }
  const of = (protocol: Protocol) => median(found.get(protocol) ?? []);
  return { tls: of('tls'), tcp: of('tcp'), wss: of('wss'), ws: of('ws'), others };
}

await runAsMain(import.meta, scenario);

/**
 * Logins: TCP and WebSocket, with tokens the node has never seen and with tokens it verified a moment ago (a reconnect
 * storm). The rate per core is 1 / CPU per login, because the generator on the other core may be the slower side.
 */
import { startBareAccept } from './baseline/bare-servers.js';
import { Fleet, type FleetOptions, type Protocol } from './load/fleet.js';
import { waitUntilIdle } from './measure/process-sample.js';
import type { Figure } from './measure/report.js';
import { runAsMain, type Scenario, type ScenarioOptions } from './measure/scenario.js';
import { startUsage } from './measure/usage.js';
import { loginFrom, startTrunkline } from './node/trunkline-server.js';

const WARM_CONNECTIONS = 3_000;
const IN_FLIGHT = 128;

interface Connects {
  readonly cpuUs: number;
  readonly mainThreadUs: number;
  /** By the clock. */
  readonly perSecond: number;
  readonly othersShare: number;
}

export const scenario: Scenario = {
  defaults: { seconds: 1, connections: 10_000 },
  run: async (options) => {
    const tcp = await measureNode('tcp', options);
    const ws = await measureNode('ws', options);
    const bareWs = await measureBare('ws', options);
    const bareTcp = await measureBare('tcp', options);
    const runs = [tcp.first, tcp.again, ws.first, ws.again, bareWs, bareTcp];
    const others = Math.max(...runs.map((run) => run.othersShare));
    const perCore = ({ cpuUs }: Connects) => 1e6 / cpuUs;
    return {
      title: 'Connects',
      conditions: {
        logins: options.connections,
        'under way at once': IN_FLIGHT,
        'warm-up': `${WARM_CONNECTIONS} logins`,
        workers: 1,
        token: 'EdDSA',
      },
      figures: [
        ratio('ws, seen before / bare ws', bareWs, ws.again, 0.5),
        ratio('ws, first seen / bare ws', bareWs, ws.first, 0.3),
        ratio('tcp, seen before / bare tcp', bareTcp, tcp.again),
        ratio('tcp, first seen / bare tcp', bareTcp, tcp.first),
        { name: 'tcp, seen before', value: perCore(tcp.again), unit: '/s and core', aim: { atLeast: 5_000 } },
        { name: 'tcp, first seen', value: perCore(tcp.first), unit: '/s and core', aim: { atLeast: 3_000 } },
        { name: 'ws, seen before', value: perCore(ws.again), unit: '/s and core' },
        { name: 'ws, first seen', value: perCore(ws.first), unit: '/s and core' },
        { name: 'bare ws', value: perCore(bareWs), unit: '/s and core' },
        { name: 'bare tcp', value: perCore(bareTcp), unit: '/s and core' },
        ...details('tcp, seen before', tcp.again),
        ...details('tcp, first seen', tcp.first),
        ...details('ws, seen before', ws.again),
        ...details('ws, first seen', ws.first),
        ...details('bare ws', bareWs),
        { name: 'other processes', value: others * 100, unit: '% of a core' },
      ],
      notes: ['`bare` accepts, takes one message and answers with one prepared frame. Per core is 1 / CPU.'],
    };
  },
};

function ratio(name: string, bare: Connects, node: Connects, atLeast?: number): Figure {
  const figure = { name, value: bare.cpuUs / node.cpuUs, unit: 'x' };
  return atLeast === undefined ? figure : { ...figure, aim: { atLeast } };
}

function details(name: string, connects: Connects): Figure[] {
  return [
    { name: `${name}: CPU per login`, value: connects.cpuUs, unit: 'µs' },
    { name: `${name}: of it main thread`, value: connects.mainThreadUs, unit: 'µs' },
    { name: `${name}: by the clock`, value: connects.perSecond, unit: '/s' },
  ];
}

async function measureNode(protocol: Protocol, { connections, cpuProfDir }: ScenarioOptions) {
  const server = await startTrunkline({ cpuProfDir });
  const port = server.port(protocol);
  const warmLogin = loginFrom(await server.logins(WARM_CONNECTIONS, connections));
  const login = loginFrom(await server.logins(connections));
  await connectAll(server.pid, { protocol, port, size: WARM_CONNECTIONS, login: warmLogin, inFlight: IN_FLIGHT });
  const fleet = { protocol, port, size: connections, login, inFlight: IN_FLIGHT };
  const first = await connectAll(server.pid, fleet);
  const again = await connectAll(server.pid, fleet);
  await server.stop();
  return { first, again };
}

async function measureBare(protocol: Protocol, { connections }: ScenarioOptions): Promise<Connects> {
  const server = await startBareAccept(protocol);
  const { pid } = server.process;
  // As long as a login, which is what a login cannot avoid reading.
  const login = () => Buffer.concat([Buffer.from([0, 1, 0xa4, 3]), Buffer.alloc(420, 0x61)]);
  const fleet = { protocol, port: server.port, login, inFlight: IN_FLIGHT };
  await connectAll(pid, { ...fleet, size: WARM_CONNECTIONS });
  const connects = await connectAll(pid, { ...fleet, size: connections });
  await server.process.stop();
  return connects;
}

async function connectAll(pid: number, options: FleetOptions): Promise<Connects> {
  const endUsage = startUsage(pid);
  const fleet = await Fleet.open(options);
  const usage = endUsage();
  fleet.assertWhole();
  await fleet.close();
  await waitUntilIdle(pid);
  return {
    cpuUs: usage.cpuUs / options.size,
    mainThreadUs: usage.mainThreadUs / options.size,
    perSecond: (options.size / fleet.openedInMs) * 1e3,
    othersShare: usage.othersShare,
  };
}

await runAsMain(import.meta, scenario);

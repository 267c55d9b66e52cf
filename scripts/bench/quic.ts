/**
 * QUIC beside TLS over TCP, on the same node in the same run: echoes (PING and PONG) a second with the CPU of each,
 * handshakes, and memory of an idle authenticated connection. How both do on a network that loses packets: `quic-loss`.
 */
import { encodeFrame, FrameType } from '../../protocol/index.js';
import { LinkFleet, type LinkProtocol } from './load/link-fleet.js';
import { privateBytes, waitUntilIdle } from './measure/process-sample.js';
import type { Figure } from './measure/report.js';
import { runAsMain, type Scenario, type ScenarioOptions } from './measure/scenario.js';
import { startUsage } from './measure/usage.js';
import { loginFrom, startTrunkline } from './node/trunkline-server.js';

const ECHO_LINKS = 64;
const HANDSHAKES = 1_000;
const WARM_HANDSHAKES = 200;
const IN_FLIGHT = 32;
const KIB = 1024;
const PING = encodeFrame({ type: FrameType.ping, opaque: 1 });

interface Found {
  readonly echoesPerSecond: number;
  readonly cpuPerEchoUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly cpuPerHandshakeUs: number;
  readonly handshakesPerSecond: number;
  readonly idleBytes: number;
  readonly othersShare: number;
}

export const scenario: Scenario = {
  defaults: { seconds: 4, connections: 1_000 },
  run: async (options) => {
    const found = { quic: await measure('quic', options), tls: await measure('tls', options) };
    const both = (name: string, unit: string, read: (found: Found) => number): Figure[] =>
      (['quic', 'tls'] as const).map((protocol) => ({
        name: `${name}, ${protocol}`,
        value: read(found[protocol]),
        unit,
      }));
    return {
      title: 'QUIC beside TLS',
      conditions: {
        'echo links': `${ECHO_LINKS}, one question under way on each`,
        handshakes: `${HANDSHAKES}, ${IN_FLIGHT} under way at once, full ones`,
        'idle connections': options.connections,
        window: `${options.windowMs / 1e3} s`,
        workers: '1 for TLS, 1 for QUIC',
      },
      figures: [
        ...both('echoes', '/s', (f) => f.echoesPerSecond),
        ...both('CPU per echo', 'µs', (f) => f.cpuPerEchoUs),
        ...both('echo p50', 'µs', (f) => f.p50Us),
        ...both('echo p99', 'µs', (f) => f.p99Us),
        ...both('handshakes', '/s', (f) => f.handshakesPerSecond),
        ...both('CPU of a handshake', 'µs', (f) => f.cpuPerHandshakeUs),
        ...both('idle connection', 'KiB', (f) => f.idleBytes / KIB),
        ...both('other processes', '% of a core', (f) => f.othersShare * 100),
      ],
      notes: [
        'The generator is JavaScript too, and with QUIC it is the slower half: trust CPU per echo, not echoes a second.',
      ],
    };
  },
};

async function measure(protocol: LinkProtocol, { connections, windowMs, cpuProfDir }: ScenarioOptions): Promise<Found> {
  const server = await startTrunkline({ secure: true, quic: true, cpuProfDir });
  const to = { protocol, port: server.port(protocol), ca: server.ca, inFlight: IN_FLIGHT };
  const hello = loginFrom(await server.logins(connections + ECHO_LINKS));
  await (await LinkFleet.open({ ...to, size: WARM_HANDSHAKES })).close();
  await waitUntilIdle(server.pid);

  const endHandshakes = startUsage(server.pid);
  const handshakes = await LinkFleet.open({ ...to, size: HANDSHAKES });
  const handshakeUsage = endHandshakes();
  await handshakes.close();
  await waitUntilIdle(server.pid);

  const before = privateBytes(server.pid);
  const idle = await LinkFleet.open({ ...to, size: connections, hello });
  await waitUntilIdle(server.pid);
  const idleBytes = (privateBytes(server.pid) - before) / connections;
  await idle.close();

  const talking = await LinkFleet.open({ ...to, size: ECHO_LINKS, hello: (index) => hello(connections + index) });
  await talking.echo(PING, PING.length, 500);
  await waitUntilIdle(server.pid);
  const endEchoes = startUsage(server.pid);
  const { echoes, latencyUs } = await talking.echo(PING, PING.length, windowMs);
  const usage = endEchoes();
  await talking.close();
  await server.stop();
  return {
    echoesPerSecond: echoes / usage.seconds,
    cpuPerEchoUs: usage.cpuUs / echoes,
    p50Us: latencyUs.quantile(0.5),
    p99Us: latencyUs.quantile(0.99),
    cpuPerHandshakeUs: handshakeUsage.cpuUs / HANDSHAKES,
    handshakesPerSecond: HANDSHAKES / handshakeUsage.seconds,
    idleBytes,
    othersShare: Math.max(usage.othersShare, handshakeUsage.othersShare),
  };
}

await runAsMain(import.meta, scenario);

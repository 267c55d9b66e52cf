/**
 * Requests through connections to an HTTP back-end and back, 1,600 under way at once, against a bare process that
 * calls the same back-end with `undici`: what the node adds to a request in CPU.
 */
import { encodeFrame, FrameType, Status } from '../../protocol/index.js';
import { callDirectly, type DirectResult, startBackEnd } from './baseline/bare-servers.js';
import { nowUs, sleep } from './load/clock.js';
import { Fleet } from './load/fleet.js';
import type { Link } from './load/link.js';
import { STAMP_BYTES, stampedPayload } from './load/stamp.js';
import { BenchError } from './measure/bench-error.js';
import { measureWindow, median, type Window } from './measure/measured-window.js';
import { runAsMain, type Scenario, type ScenarioOptions } from './measure/scenario.js';
import { BUSINESS_ID, loginFrom, startTrunkline } from './node/trunkline-server.js';

const PER_CONNECTION = 8;
const POOL_CONNECTIONS = 128;
const PAYLOAD_BYTES = 128;
const WARM_MS = 2_000;

export const scenario: Scenario = {
  defaults: { seconds: 5, connections: 200, runs: 3 },
  run: async (options) => {
    const backEnd = await startBackEnd();
    const inFlight = options.connections * PER_CONNECTION;
    const through: Window[] = [];
    const direct: DirectResult[] = [];
    for (let run = 0; run < options.runs; run++) {
      through.push(await measureNode(backEnd.port, inFlight, options));
      const { windowMs } = options;
      const pool = { connections: POOL_CONNECTIONS, bytes: PAYLOAD_BYTES };
      direct.push(await callDirectly({ port: backEnd.port, inFlight, windowMs, ...pool }));
    }
    await backEnd.process.stop();
    const nodeCpuUs = median(through.map((run) => run.cpuUs / run.responses));
    const directCpuUs = median(direct.map((run) => run.cpuUs / run.requests));
    const figure = (name: string, value: number, unit: string) => ({ name, value, unit });
    return {
      title: 'Upstream',
      conditions: {
        protocol: 'tcp',
        connections: options.connections,
        'under way at once': inFlight,
        'HTTP connections': POOL_CONNECTIONS,
        payload: `${PAYLOAD_BYTES} bytes, echoed`,
        window: `${options.windowMs / 1e3} s after ${WARM_MS / 1e3} s`,
        runs: `${options.runs} in turns, medians`,
        'back-end': 'node:http, on the core of the load',
      },
      figures: [
        { name: 'CPU per request / direct', value: nodeCpuUs / directCpuUs, unit: 'x', aim: { atMost: 2 } },
        figure('CPU per request', nodeCpuUs, 'µs'),
        figure('of it main thread', median(through.map((run) => run.mainThreadUs / run.responses)), 'µs'),
        figure('CPU per request, direct', directCpuUs, 'µs'),
        figure('requests', median(through.map((run) => run.responses / run.seconds)), '/s'),
        figure('requests, direct', median(direct.map((run) => run.requests / run.seconds)), '/s'),
        figure('server load', median(through.map((run) => run.cpuUs / run.seconds)) / 1e4, '% of its core'),
        figure('server load, direct', median(direct.map((run) => run.cpuUs / run.seconds)) / 1e4, '% of its core'),
        figure('p50', median(through.map((run) => run.p50Us)) / 1e3, 'ms'),
        figure('p99', median(through.map((run) => run.p99Us)) / 1e3, 'ms'),
      ],
      notes: ['Direct: `undici` alone, no signature, no CloudEvents headers, no connection to a device.'],
    };
  },
};

async function measureNode(backEndPort: number, inFlight: number, options: ScenarioOptions): Promise<Window> {
  const server = await startTrunkline({
    cpuProfDir: options.cpuProfDir,
    upstream: {
      url: `http://127.0.0.1:${backEndPort}/`,
      signingSecret: 'a secret of the benchmark alone',
      concurrency: POOL_CONNECTIONS,
      maxQueue: inFlight,
    },
  });
  const { connections } = options;
  const login = loginFrom(await server.logins(connections));
  const fleet = await Fleet.open({ protocol: 'tcp', port: server.port('tcp'), size: connections, login });
  const { traffic } = fleet;
  let running = true;
  let refused: string | undefined;
  fleet.onResponse = (link, requestId, status, frame) => {
    if (status !== Status.ok) refused ??= `a request was answered with status ${status}`;
    else if (traffic.measuring) traffic.latency.record(nowUs() - frame.readDoubleBE(frame.length - STAMP_BYTES));
    if (running) sendRequest(link, requestId);
  };
  for (let requestId = 1; requestId <= PER_CONNECTION; requestId++) {
    for (const link of fleet.links) sendRequest(link, requestId);
  }
  await sleep(WARM_MS);
  const window = await measureWindow(fleet, server.pid, options.windowMs);
  running = false;
  await sleep(500);
  await fleet.close();
  await server.stop();
  if (refused !== undefined) throw new BenchError(refused);
  return window;
}

function sendRequest(link: Link, requestId: number): void {
  link.send(
    encodeFrame({
      type: FrameType.request,
      requestId,
      businessId: BUSINESS_ID,
      method: 'echo',
      metadata: {},
      deadlineMs: 0,
      payload: stampedPayload(PAYLOAD_BYTES, nowUs()),
    }),
  );
}

await runAsMain(import.meta, scenario);

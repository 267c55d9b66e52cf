/**
 * Calls of a back-end to devices through the bridge and back: one HTTP request, one REQUEST to the device, its RESPONSE,
 * one HTTP answer, with many under way at once. The devices echo what they are asked.
 */
import { decodeFrame, encodeFrame, FrameType, HEADER_BYTES } from '../../protocol/index.js';
import { nowUs, sleep } from './load/clock.js';
import { Fleet } from './load/fleet.js';
import { Histogram } from './load/histogram.js';
import { HttpPoster } from './load/http-poster.js';
import { BenchError } from './measure/bench-error.js';
import { measureWindow, median, type Window } from './measure/measured-window.js';
import { runAsMain, type Scenario, type ScenarioOptions } from './measure/scenario.js';
import { APP, deviceId, loginFrom, startTrunkline, type TrunklineServer } from './node/trunkline-server.js';

const PAYLOAD_BYTES = 128;
const CALLERS = 64;
const WARM_MS = 1_500;

interface Run {
  readonly window: Window;
  readonly calls: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export const scenario: Scenario = {
  defaults: { seconds: 5, connections: 1_000, runs: 3 },
  run: async (options) => {
    const server = await startTrunkline({ cpuProfDir: options.cpuProfDir });
    const login = loginFrom(await server.logins(options.connections));
    const fleet = await Fleet.open({ protocol: 'tcp', port: server.port('tcp'), size: options.connections, login });
    fleet.onRequest = (link, frame) => {
      const request = decodeFrame({ type: FrameType.request, body: frame.subarray(HEADER_BYTES) });
      if (request?.type !== FrameType.request) return;
      const { requestId, payload } = request;
      link.send(encodeFrame({ type: FrameType.response, requestId, status: 0, metadata: {}, payload }));
    };
    const runs: Run[] = [];
    for (let run = 0; run < options.runs; run++) runs.push(await measureCalls(server, fleet, options));
    await fleet.close();
    await server.stop();
    const of = (value: (run: Run) => number) => median(runs.map(value));
    return {
      title: 'Calls to devices',
      conditions: {
        devices: `${options.connections} over tcp`,
        payload: `${PAYLOAD_BYTES} bytes, echoed`,
        callers: `${CALLERS}, one call under way each`,
        window: `${options.windowMs / 1e3} s after ${WARM_MS / 1e3} s`,
        runs: `${options.runs}, medians`,
        workers: 1,
      },
      figures: [
        { name: 'calls', value: of(({ calls, window }) => calls / window.seconds), unit: '/s' },
        { name: 'CPU per call', value: of(({ calls, window }) => window.cpuUs / calls), unit: 'µs' },
        { name: 'of it main thread', value: of(({ calls, window }) => window.mainThreadUs / calls), unit: 'µs' },
        { name: 'p50, HTTP request to HTTP answer', value: of(({ p50Us }) => p50Us) / 1e3, unit: 'ms' },
        { name: 'p99', value: of(({ p99Us }) => p99Us) / 1e3, unit: 'ms' },
      ],
      notes: ['Any answer but 200 with status 0 fails the benchmark. The device is chosen in turn.'],
    };
  },
};

async function measureCalls(
  server: TrunklineServer,
  fleet: Fleet,
  { windowMs, connections }: ScenarioOptions,
): Promise<Run> {
  const poster = await HttpPoster.open({ ...server.bridge, connections: CALLERS });
  const body = Buffer.from(JSON.stringify({ method: 'echo', payload: 'x'.repeat(PAYLOAD_BYTES) }));
  const wires = Array.from({ length: connections }, (_, index) =>
    poster.prepare(`/v1/apps/${APP}/devices/${deviceId(index)}/call`, body),
  );
  const latency = new Histogram();
  let answered = 0;
  let underWay = 0;
  let next = 0;
  let isRunning = true;
  let failure: string | undefined;
  const call = () => {
    const sentUs = nowUs();
    underWay++;
    poster.post(wires[next++ % wires.length] as Buffer, (status, answer) => {
      underWay--;
      answered++;
      latency.record(nowUs() - sentUs);
      if (status !== 200 || !answer.includes('"status":0')) failure ??= `a call was answered ${status}: ${answer}`;
      if (isRunning && failure === undefined) call();
    });
  };
  for (let i = 0; i < CALLERS; i++) call();
  await sleep(WARM_MS);
  latency.clear();
  const before = answered;
  const window = await measureWindow(fleet, server.pid, windowMs);
  const calls = answered - before;
  const [p50Us, p99Us] = [latency.quantile(0.5), latency.quantile(0.99)];
  isRunning = false;
  for (const endMs = performance.now() + 10_000; underWay > 0 && performance.now() < endMs; ) await sleep(20);
  poster.close();
  if (failure !== undefined) throw new BenchError(failure);
  return { window, calls, p50Us, p99Us };
}

await runAsMain(import.meta, scenario);

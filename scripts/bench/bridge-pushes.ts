/**
 * Unicast pushes through the HTTP bridge: one request a push, batches of 100, NDJSON with a line a push, and an
 * overload in batches of 1,000, which must be answered with 429 and never with an error of another kind.
 */
import { BulkPoster } from './load/bulk-poster.js';
import { nowUs, sleep } from './load/clock.js';
import { Fleet } from './load/fleet.js';
import { HttpPoster } from './load/http-poster.js';
import { stampedPayload } from './load/stamp.js';
import { BenchError } from './measure/bench-error.js';
import { measureWindow, type Window } from './measure/measured-window.js';
import type { Figure } from './measure/report.js';
import { runAsMain, type Scenario, type ScenarioOptions } from './measure/scenario.js';
import { APP, deviceId, loginFrom, startTrunkline, type TrunklineServer } from './node/trunkline-server.js';

const PAYLOAD_BYTES = 128;
const WARM_MS = 1_500;

/** Lines made at once, with one stamp. */
const LINES_AT_ONCE = 50;
/** Lines of one NDJSON stream that wait for their answer. */
const LINE_WINDOW = 1_000;

interface Stage {
  readonly name: string;
  /** One endless NDJSON request a caller, instead of a request after the other. */
  readonly isStream?: boolean;
  /** Devices a request. */
  readonly batch: number;
  /** Keep-alive connections, each with one request under way. */
  readonly callers: number;
}

const STAGES: readonly Stage[] = [
  { name: 'one by one', batch: 1, callers: 64 },
  { name: 'batches of 100', batch: 100, callers: 16 },
  { name: 'NDJSON', batch: 1, callers: 4, isStream: true },
  { name: 'overload, batches of 1,000', batch: 1_000, callers: 128 },
];

interface Outcome {
  readonly window: Window;
  readonly accepted: number;
  readonly refused: number;
  /** Accepted pushes that no device got. */
  readonly missing: number;
}

export const scenario: Scenario = {
  defaults: { seconds: 5, connections: 1_000 },
  run: async (options) => {
    const server = await startTrunkline({ cpuProfDir: options.cpuProfDir });
    const login = loginFrom(await server.logins(options.connections));
    const fleet = await Fleet.open({ protocol: 'ws', port: server.port('ws'), size: options.connections, login });
    const figures: Figure[] = [];
    const cpuUs = new Map<Stage, number>();
    for (const stage of STAGES) {
      const run = stage.isStream === true ? runStream : runStage;
      const outcome = await run(stage, server, fleet, options);
      cpuUs.set(stage, outcome.window.cpuUs / outcome.window.pushes);
      figures.push(...toFigures(stage, outcome));
    }
    const ratio = (cpuUs.get(STAGES[0] as Stage) ?? 0) / (cpuUs.get(STAGES[2] as Stage) ?? 1);
    figures.unshift({
      name: 'NDJSON / one by one, pushes for the same CPU',
      value: ratio,
      unit: 'x',
      aim: { atLeast: 5 },
    });
    await fleet.close();
    await server.stop();
    return {
      title: 'Pushes through the bridge',
      conditions: {
        devices: `${options.connections} over ws`,
        payload: `${PAYLOAD_BYTES} bytes`,
        window: `${options.windowMs / 1e3} s after ${WARM_MS / 1e3} s`,
        callers: STAGES.map(({ name, callers }) => `${callers} (${name})`).join(', '),
        workers: 1,
      },
      figures,
      notes: ['Any answer but 200 and 429 fails the benchmark. The device is chosen in turn.'],
    };
  },
};

function toFigures({ name, batch }: Stage, { window, accepted, refused, missing }: Outcome): Figure[] {
  return [
    { name: `${name}: delivered`, value: window.pushes / window.seconds, unit: 'pushes/s' },
    { name: `${name}: CPU per push`, value: window.cpuUs / window.pushes, unit: 'µs' },
    { name: `${name}: of it main thread`, value: window.mainThreadUs / window.pushes, unit: 'µs' },
    { name: `${name}: p99 to the device`, value: window.p99Us / 1e3, unit: 'ms' },
    { name: `${name}: answered 429`, value: (refused / (accepted + refused)) * 100, unit: '% of requests' },
    { name: `${name}: accepted and not delivered`, value: missing, unit: `of ${accepted * batch} pushes` },
  ];
}

async function runStage(
  { batch, callers }: Stage,
  server: TrunklineServer,
  fleet: Fleet,
  { windowMs, connections }: ScenarioOptions,
): Promise<Outcome> {
  const poster = await HttpPoster.open({ ...server.bridge, connections: callers });
  const batches = prepareBatches(batch, connections);
  const pushesBefore = fleet.traffic.pushes;
  let accepted = 0;
  let refused = 0;
  let underWay = 0;
  let failure: string | undefined;
  let running = true;
  let next = 0;
  const call = () => {
    const { path, devices } = batches[next++ % batches.length] as Batch;
    const payload = stampedPayload(PAYLOAD_BYTES, nowUs()).toString('base64');
    const body = Buffer.from(`{${devices}"payloadBase64":"${payload}"}`);
    underWay++;
    poster.post(poster.prepare(path, body), (status, answer) => {
      underWay--;
      if (status === 200) accepted++;
      else if (status === 429) refused++;
      else failure ??= `a push was answered ${status}: ${answer.toString().slice(0, 200)}`;
      if (running && failure === undefined) call();
    });
  };
  for (let i = 0; i < callers; i++) call();
  await sleep(WARM_MS);
  const window = await measureWindow(fleet, server.pid, windowMs);
  running = false;
  for (const endMs = performance.now() + 10_000; underWay > 0 && performance.now() < endMs; ) await sleep(50);
  await sleep(500);
  poster.close();
  if (failure !== undefined) throw new BenchError(failure);
  return { window, accepted, refused, missing: accepted * batch - (fleet.traffic.pushes - pushesBefore) };
}

async function runStream(
  { callers }: Stage,
  server: TrunklineServer,
  fleet: Fleet,
  { windowMs, connections }: ScenarioOptions,
): Promise<Outcome> {
  const pushesBefore = fleet.traffic.pushes;
  let next = 0;
  const nextLines = () => {
    const payload = stampedPayload(PAYLOAD_BYTES, nowUs()).toString('base64');
    let text = '';
    for (let i = 0; i < LINES_AT_ONCE; i++) {
      text += `{"app":"${APP}","device":"${deviceId(next++ % connections)}","payloadBase64":"${payload}"}\n`;
    }
    return { text, count: LINES_AT_ONCE };
  };
  const open = () => BulkPoster.open({ ...server.bridge, source: { window: LINE_WINDOW, nextLines } });
  const posters = await Promise.all(Array.from({ length: callers }, open));
  await sleep(WARM_MS);
  const window = await measureWindow(fleet, server.pid, windowMs);
  for (const poster of posters) poster.finish();
  const sum = (count: (poster: BulkPoster) => number) => posters.reduce((total, poster) => total + count(poster), 0);
  const endMs = performance.now() + 10_000;
  while (sum(({ sent, answered }) => sent - answered) > 0 && performance.now() < endMs) await sleep(50);
  await sleep(500);
  for (const poster of posters) poster.close();
  const failed = posters.find(({ failure }) => failure !== undefined);
  if (failed?.failure !== undefined) throw failed.failure;
  const accepted = sum(({ answered }) => answered);
  return { window, accepted, refused: 0, missing: accepted - (fleet.traffic.pushes - pushesBefore) };
}

interface Batch {
  readonly path: string;
  /** The `devices` member of the body, with its comma; empty when the path names the device. */
  readonly devices: string;
}

/** Requests that together reach every device once. */
function prepareBatches(batch: number, devices: number): Batch[] {
  const ids = Array.from({ length: devices }, (_, index) => deviceId(index));
  if (batch === 1) return ids.map((id) => ({ path: `/v1/apps/${APP}/devices/${id}/push`, devices: '' }));
  const batches: Batch[] = [];
  for (let at = 0; at < ids.length; at += batch) {
    // A machine with fewer devices than a batch names some twice, which the bridge allows.
    const named = Array.from({ length: batch }, (_, i) => ids[(at + i) % ids.length]);
    batches.push({ path: `/v1/apps/${APP}/push`, devices: `"devices":${JSON.stringify(named)},` });
  }
  return batches;
}

await runAsMain(import.meta, scenario);

/** Unicasts at a slow rate to a few devices of its own, timed; the job is a JSON file, the result a line of JSON. */
import { readFileSync } from 'node:fs';
import { sleep } from './load/clock.js';
import { Fleet } from './load/fleet.js';
import { HttpPoster } from './load/http-poster.js';
import { RatePacer } from './load/pacer.js';
import { stampedPayload } from './load/stamp.js';
import { BenchError } from './measure/bench-error.js';
import { APP, deviceId } from './node/trunkline-server.js';

/** Devices of the probe. */
export const probeConnections = 50;

const WARM_MS = 1_500;

export interface ProbeJob {
  readonly port: number;
  readonly bridge: { readonly port: number; readonly key: string };
  readonly firstDevice: number;
  /** CONNECT frames, base64. */
  readonly logins: readonly string[];
  readonly perSecond: number;
  readonly payloadBytes: number;
  readonly windowMs: number;
}

export interface ProbeResult {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly count: number;
}

async function runProbe(job: ProbeJob): Promise<ProbeResult> {
  const logins = job.logins.map((login) => Buffer.from(login, 'base64'));
  const login = (index: number) => logins[index] as Buffer;
  const fleet = await Fleet.open({ protocol: 'ws', port: job.port, size: logins.length, login, firstSource: 9 });
  const poster = await HttpPoster.open({ ...job.bridge, connections: 16 });
  let failure: string | undefined;
  const pacer = new RatePacer(job.perSecond, (dueUs) => {
    const device = deviceId(job.firstDevice + (pacer.sent % logins.length));
    const payload = stampedPayload(job.payloadBytes, dueUs).toString('base64');
    const wire = poster.prepare(
      `/v1/apps/${APP}/devices/${device}/push`,
      Buffer.from(`{"payloadBase64":"${payload}"}`),
    );
    poster.post(wire, (status) => {
      if (status !== 200) failure ??= `a unicast was answered ${status}`;
    });
  });
  pacer.start(true);
  await sleep(WARM_MS);
  const { traffic } = fleet;
  traffic.measuring = true;
  await sleep(job.windowMs);
  traffic.measuring = false;
  pacer.stop();
  await sleep(500);
  fleet.assertWhole();
  if (failure !== undefined) throw new BenchError(failure);
  const { latency } = traffic;
  return { p50Us: latency.quantile(0.5), p99Us: latency.quantile(0.99), count: latency.count };
}

if (import.meta.filename === process.argv[1]) {
  const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ProbeJob;
  process.stdout.write(`${JSON.stringify(await runProbe(job))}\n`);
  process.exit(0);
}

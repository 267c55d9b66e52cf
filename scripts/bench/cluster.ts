/**
 * What it costs that a device is on another node: unicast latency beside that on the device's own node, pushes a second
 * one by one and in batches of 100, and a multicast to 3,000 members on three nodes. Nodes and Redis share one core.
 */
import { type BenchService, type ServiceUsage, startService } from './cluster-service.js';
import { nowUs, sleep } from './load/clock.js';
import { Fleet } from './load/fleet.js';
import { HttpPoster } from './load/http-poster.js';
import { RatePacer } from './load/pacer.js';
import { stampedPayload } from './load/stamp.js';
import { Traffic } from './load/traffic.js';
import { BenchError } from './measure/bench-error.js';
import type { Figure } from './measure/report.js';
import { runAsMain, type Scenario, type ScenarioOptions } from './measure/scenario.js';
import { APP, BUSINESS_ID, deviceId, loginFrom, type TrunklineServer } from './node/trunkline-server.js';

const NODES = 3;
const GROUP = 'room';
const PAYLOAD_BYTES = 128;
const WARM_MS = 1_500;
/** What is under way at the end of a window has this long to arrive. */
const SETTLE_MS = 10_000;

const UNICASTS_PER_SECOND = 200;
const MULTICASTS_PER_SECOND = 50;
const POSTER_CONNECTIONS = 64;

interface Stage {
  readonly name: string;
  /** Devices a request. */
  readonly batch: number;
  /** Keep-alive connections, each with one request under way. */
  readonly callers: number;
}

const STAGES: readonly Stage[] = [
  { name: 'one by one', batch: 1, callers: 64 },
  { name: 'batches of 100', batch: 100, callers: 16 },
];

/** Members of every node, heard as one. */
interface Crowd {
  readonly service: BenchService;
  readonly traffic: Traffic;
  readonly fleets: readonly Fleet[];
  /** Devices of each fleet. */
  readonly each: number;
}

export const scenario: Scenario = {
  defaults: { seconds: 5, connections: 3_000 },
  run: async (options) => {
    const crowd = await openCrowd(options.connections);
    const [near, far] = crowd.service.nodes as [TrunklineServer, TrunklineServer];
    // Devices are those of the first node.
    const ownNode = await measureUnicasts(crowd, near, options);
    const otherNode = await measureUnicasts(crowd, far, options);
    const figures: Figure[] = [
      { name: 'unicast p50, other node / own node', value: otherNode.p50Us / ownNode.p50Us, unit: 'x' },
      { name: 'unicast p50 across nodes', value: otherNode.p50Us / 1e3, unit: 'ms' },
      { name: 'unicast p99 across nodes', value: otherNode.p99Us / 1e3, unit: 'ms' },
      { name: 'unicast p50 on the own node', value: ownNode.p50Us / 1e3, unit: 'ms' },
      { name: 'unicast p99 on the own node', value: ownNode.p99Us / 1e3, unit: 'ms' },
    ];
    const others = [ownNode.othersShare, otherNode.othersShare];
    for (const stage of STAGES) {
      const outcome = await measurePushes(crowd, far, stage, options);
      figures.push(...pushFigures(stage, outcome));
      others.push(outcome.othersShare);
    }
    const multicast = await measureMulticast(crowd, far, options);
    figures.push(...multicastFigures(multicast));
    others.push(multicast.othersShare);
    figures.push({ name: 'other processes', value: Math.max(...others) * 100, unit: '% of a core' });
    await Promise.all(crowd.fleets.map((fleet) => fleet.close()));
    await crowd.service.stop();
    return {
      title: 'Several nodes',
      conditions: {
        nodes: `${NODES}, one access worker each, and one redis-server, on one core`,
        devices: `${crowd.each} over ws on each node`,
        payload: `${PAYLOAD_BYTES} bytes`,
        window: `${options.windowMs / 1e3} s after ${WARM_MS / 1e3} s`,
        'unicast latency at': `${UNICASTS_PER_SECOND}/s`,
        multicast: `${MULTICASTS_PER_SECOND} messages/s`,
        callers: STAGES.map(({ name, callers }) => `${callers} (${name})`).join(', '),
      },
      figures,
      notes: [
        'The pushes enter at one node; the devices that they go to are on another. Any answer but 200 fails the benchmark.',
        'On machines of their own the nodes would not wait for each other; the CPU of each push is the figure that travels.',
      ],
    };
  },
};

async function openCrowd(connections: number): Promise<Crowd> {
  const service = await startService(NODES);
  const traffic = new Traffic();
  const each = Math.ceil(connections / NODES);
  const fleets: Fleet[] = [];
  for (const [index, node] of service.nodes.entries()) {
    const login = loginFrom(await node.logins(each, index * each));
    const fleet = await Fleet.open({
      protocol: 'ws',
      port: node.port('ws'),
      size: each,
      login,
      traffic,
      firstSource: 2 + index,
    });
    await fleet.join(BUSINESS_ID, GROUP);
    fleets.push(fleet);
  }
  return { service, traffic, fleets, each };
}

interface Measured extends ServiceUsage {
  readonly pushes: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

async function measureWindow({ service, traffic, fleets }: Crowd, windowMs: number): Promise<Measured> {
  const endUsage = service.startUsage();
  const { pushes } = traffic;
  traffic.latency.clear();
  traffic.measuring = true;
  await sleep(windowMs);
  traffic.measuring = false;
  const usage = endUsage();
  for (const fleet of fleets) fleet.assertWhole();
  return {
    ...usage,
    pushes: traffic.pushes - pushes,
    p50Us: traffic.latency.quantile(0.5),
    p99Us: traffic.latency.quantile(0.99),
  };
}

/** Lets what is under way arrive. @returns how many of `sent` deliveries never came */
async function missingOf({ traffic }: Crowd, pushesBefore: number, sent: number): Promise<number> {
  const missing = () => sent - (traffic.pushes - pushesBefore);
  for (const endMs = performance.now() + SETTLE_MS; missing() > 0 && performance.now() < endMs; ) await sleep(50);
  return missing();
}

async function measureUnicasts(crowd: Crowd, through: TrunklineServer, options: ScenarioOptions): Promise<Measured> {
  const poster = await HttpPoster.open({ ...through.bridge, connections: POSTER_CONNECTIONS });
  const failure = new FirstFailure();
  const pushesBefore = crowd.traffic.pushes;
  let next = 0;
  const pacer = new RatePacer(UNICASTS_PER_SECOND, (dueUs) => {
    const path = `/v1/apps/${APP}/devices/${deviceId(next++ % crowd.each)}/push`;
    poster.post(poster.prepare(path, bodyOf(dueUs)), failure.check);
  });
  pacer.start(true);
  await sleep(WARM_MS);
  const measured = await measureWindow(crowd, options.windowMs);
  pacer.stop();
  const missing = await missingOf(crowd, pushesBefore, pacer.sent);
  poster.close();
  failure.throwIfAny();
  if (missing > 0) throw new BenchError(`${missing} of ${pacer.sent} unicasts did not arrive`);
  return measured;
}

interface PushOutcome extends Measured {
  readonly accepted: number;
  readonly missing: number;
}

async function measurePushes(
  crowd: Crowd,
  through: TrunklineServer,
  { batch, callers }: Stage,
  { windowMs }: ScenarioOptions,
): Promise<PushOutcome> {
  const poster = await HttpPoster.open({ ...through.bridge, connections: callers });
  const failure = new FirstFailure();
  const pushesBefore = crowd.traffic.pushes;
  let accepted = 0;
  let underWay = 0;
  let running = true;
  let next = 0;
  const call = () => {
    const named = Array.from({ length: batch }, () => deviceId(next++ % crowd.each));
    const path = batch === 1 ? `/v1/apps/${APP}/devices/${named[0]}/push` : `/v1/apps/${APP}/push`;
    underWay++;
    poster.post(poster.prepare(path, bodyOf(nowUs(), batch === 1 ? undefined : named)), (status, answer) => {
      underWay--;
      failure.check(status, answer);
      if (status === 200) accepted += batch;
      if (running && !failure.isThere) call();
    });
  };
  for (let i = 0; i < callers; i++) call();
  await sleep(WARM_MS);
  const measured = await measureWindow(crowd, windowMs);
  running = false;
  for (const endMs = performance.now() + SETTLE_MS; underWay > 0 && performance.now() < endMs; ) await sleep(50);
  const missing = await missingOf(crowd, pushesBefore, accepted);
  poster.close();
  failure.throwIfAny();
  return { ...measured, accepted, missing };
}

interface MulticastOutcome extends Measured {
  /** Deliveries that should have come. */
  readonly due: number;
  readonly lost: number;
}

async function measureMulticast(
  crowd: Crowd,
  through: TrunklineServer,
  { windowMs }: ScenarioOptions,
): Promise<MulticastOutcome> {
  const poster = await HttpPoster.open({ ...through.bridge, connections: POSTER_CONNECTIONS });
  const failure = new FirstFailure();
  const members = crowd.each * NODES;
  const pushesBefore = crowd.traffic.pushes;
  const pacer = new RatePacer(MULTICASTS_PER_SECOND, (dueUs) => {
    poster.post(poster.prepare(`/v1/groups/${GROUP}/push`, bodyOf(dueUs)), failure.check);
  });
  pacer.start(true);
  await sleep(WARM_MS);
  const measured = await measureWindow(crowd, windowMs);
  pacer.stop();
  const due = pacer.sent * members;
  const lost = await missingOf(crowd, pushesBefore, due);
  poster.close();
  failure.throwIfAny();
  return { ...measured, due, lost };
}

function pushFigures({ name }: Stage, { pushes, seconds, nodesUs, redisUs, p99Us, accepted, missing }: PushOutcome) {
  return [
    { name: `${name}: delivered across nodes`, value: pushes / seconds, unit: 'pushes/s' },
    { name: `${name}: CPU per push, both nodes`, value: nodesUs / pushes, unit: 'µs' },
    { name: `${name}: CPU per push, Redis`, value: redisUs / pushes, unit: 'µs' },
    { name: `${name}: p99 to the device`, value: p99Us / 1e3, unit: 'ms' },
    {
      name: `${name}: accepted and not delivered`,
      value: missing,
      unit: `of ${accepted} pushes`,
      aim: { atMost: 0 },
    },
  ];
}

function multicastFigures({ pushes, seconds, nodesUs, redisUs, p50Us, p99Us, due, lost }: MulticastOutcome): Figure[] {
  return [
    { name: 'multicast: delivered', value: pushes / seconds, unit: 'deliveries/s' },
    { name: 'multicast: p50', value: p50Us / 1e3, unit: 'ms' },
    { name: 'multicast: p99', value: p99Us / 1e3, unit: 'ms' },
    { name: 'multicast: lost', value: lost, unit: `of ${due} deliveries`, aim: { atMost: 0 } },
    { name: 'multicast: CPU per delivery, all nodes', value: nodesUs / pushes, unit: 'µs' },
    { name: 'multicast: CPU per delivery, Redis', value: redisUs / pushes, unit: 'µs' },
  ];
}

function bodyOf(sentUs: number, devices?: readonly string[]): Buffer {
  const payload = stampedPayload(PAYLOAD_BYTES, sentUs).toString('base64');
  const named = devices === undefined ? '' : `"devices":${JSON.stringify(devices)},`;
  return Buffer.from(`{${named}"payloadBase64":"${payload}"}`);
}

class FirstFailure {
  #words: string | undefined;

  get isThere(): boolean {
    return this.#words !== undefined;
  }

  readonly check = (status: number, answer: Buffer): void => {
    if (status !== 200) this.#words ??= `a push was answered ${status}: ${answer.toString().slice(0, 200)}`;
  };

  throwIfAny(): void {
    if (this.#words !== undefined) throw new BenchError(this.#words);
  }
}

await runAsMain(import.meta, scenario);

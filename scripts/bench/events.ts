/**
 * Connection events: how fast a node tells a back-end who came and went, and what one costs. Devices connect and leave
 * while the back-end answers nothing, so that their events queue up; then it answers, and the queue runs dry. Beside it a
 * bare process posts empty requests to the same kind of back-end with `undici`: what the node adds in CPU.
 */
import { callDirectly, type DirectResult, startBackEnd } from './baseline/bare-servers.js';
import { HeldBackEnd } from './baseline/held-back-end.js';
import { Fleet } from './load/fleet.js';
import { median } from './measure/measured-window.js';
import { waitUntilIdle } from './measure/process-sample.js';
import { runAsMain, type Scenario, type ScenarioOptions } from './measure/scenario.js';
import { startUsage, type Usage } from './measure/usage.js';
import { loginFrom, startTrunkline } from './node/trunkline-server.js';

/** As many connections as the node takes for events. */
const CONNECTIONS = 32;
const DIRECT_WINDOW_MS = 3_000;
const DEADLINE_MS = 120_000;

interface Delivery extends Usage {
  readonly events: number;
}

export const scenario: Scenario = {
  defaults: { seconds: 3, connections: 10_000, runs: 3 },
  run: async (options) => {
    const told: Delivery[] = [];
    const direct: DirectResult[] = [];
    const bare = await startBackEnd();
    for (let run = 0; run < options.runs; run++) {
      told.push(await measureNode(options));
      const load = { connections: CONNECTIONS, inFlight: CONNECTIONS, bytes: 0, windowMs: DIRECT_WINDOW_MS };
      direct.push(await callDirectly({ port: bare.port, ...load }));
    }
    await bare.process.stop();
    const figure = (name: string, value: number, unit: string) => ({ name, value, unit });
    const cpuUs = median(told.map((run) => run.cpuUs / run.events));
    const directUs = median(direct.map((run) => run.cpuUs / run.requests));
    return {
      title: 'Connection events',
      conditions: {
        devices: options.connections,
        events: `${2 * options.connections}, connected and disconnected`,
        'HTTP connections': CONNECTIONS,
        runs: `${options.runs} in turns, medians`,
        'back-end': 'node:http, answers 204, on the core of the load',
      },
      figures: [
        { name: 'CPU per event / direct', value: cpuUs / directUs, unit: 'x', aim: { atMost: 2.5 } },
        figure('events', median(told.map((run) => run.events / run.seconds)), '/s'),
        figure('CPU per event', cpuUs, 'µs'),
        figure('of it main thread', median(told.map((run) => run.mainThreadUs / run.events)), 'µs'),
        figure('requests, direct', median(direct.map((run) => run.requests / run.seconds)), '/s'),
        figure('CPU per request, direct', directUs, 'µs'),
        figure('other processes', Math.max(...told.map((run) => run.othersShare)) * 100, '% of a core'),
      ],
      notes: ['Direct: `undici` alone, no signature, no CloudEvents headers, no queue.'],
    };
  },
};

async function measureNode({ connections, cpuProfDir }: ScenarioOptions): Promise<Delivery> {
  const backEnd = await HeldBackEnd.start();
  const server = await startTrunkline({
    cpuProfDir,
    upstream: {
      url: `http://127.0.0.1:${backEnd.port}/`,
      signingSecret: 'a secret of the benchmark alone',
      deadlineMs: DEADLINE_MS,
    },
    events: { connected: true, disconnected: true },
  });
  const login = loginFrom(await server.logins(connections));
  const port = server.port('tcp');
  const deliver = async (): Promise<Delivery> => {
    const fleet = await Fleet.open({ protocol: 'tcp', port, size: connections, login });
    await fleet.close();
    await waitUntilIdle(server.pid);
    const events = 2 * connections;
    const endUsage = startUsage(server.pid);
    await backEnd.release(events);
    return { ...endUsage(), events };
  };
  // The first time warms up.
  await deliver();
  backEnd.hold();
  const delivery = await deliver();
  await server.stop();
  return delivery;
}

await runAsMain(import.meta, scenario);

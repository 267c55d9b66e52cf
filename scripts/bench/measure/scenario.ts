/**
 * The command line that all scenarios share: `node dist/scripts/bench/live-room.js [options]`.
 *
 *     --seconds N       length of a measuring window
 *     --connections N   instead of the scenario's own number, for a machine with a lower file limit
 *     --runs N          alternated runs of a ratio
 *     --routes N        in the store, where one is measured
 *     --cpu-prof DIR    the node's threads write CPU profiles there (`profile.ts` reads them)
 *     --json            the report as one line of JSON
 */
import { parseArgs } from 'node:util';
import { BenchError } from './bench-error.js';
import { pinSelfToLoadCore } from './pinning.js';
import { openFileLimit } from './process-sample.js';
import { machine, type Report, toMarkdown } from './report.js';

/** Files of a process beside its connections. */
const SPARE_FILES = 200;

export interface ScenarioOptions {
  readonly windowMs: number;
  readonly connections: number;
  readonly runs: number;
  readonly routes: number;
  readonly cpuProfDir: string | undefined;
}

export interface Scenario {
  readonly defaults: {
    readonly seconds: number;
    readonly connections: number;
    readonly runs?: number;
    readonly routes?: number;
  };
  run(options: ScenarioOptions): Promise<Report>;
}

/** Runs a scenario when its file is the program, and does nothing when it is imported. */
export async function runAsMain(meta: ImportMeta, scenario: Scenario): Promise<void> {
  if (meta.filename !== process.argv[1]) return;
  try {
    const { options, json } = readOptions(scenario);
    pinSelfToLoadCore();
    const report = await scenario.run(options);
    const whole = { ...report, conditions: { ...report.conditions, ...machine() } };
    process.stdout.write(json ? `${JSON.stringify(whole)}\n` : toMarkdown(whole));
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof BenchError ? error.message : (error as Error).stack}\n`);
    process.exit(1);
  }
}

function readOptions({ defaults }: Scenario): { options: ScenarioOptions; json: boolean } {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: String(defaults.seconds) },
      connections: { type: 'string', default: String(defaults.connections) },
      runs: { type: 'string', default: String(defaults.runs ?? 1) },
      routes: { type: 'string', default: String(defaults.routes ?? 1) },
      'cpu-prof': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const connections = inRange('connections', values.connections, 1, 100_000);
  const limit = openFileLimit();
  if (connections + SPARE_FILES > limit) {
    throw new BenchError(
      `${connections} connections do not fit in ${limit} open files: raise \`ulimit -n\`, or --connections fewer`,
    );
  }
  const options = {
    windowMs: inRange('seconds', values.seconds, 0.1, 600) * 1e3,
    connections: Math.floor(connections),
    runs: Math.floor(inRange('runs', values.runs, 1, 50)),
    routes: Math.floor(inRange('routes', values.routes, 1, 10_000_000)),
    cpuProfDir: values['cpu-prof'],
  };
  return { options, json: values.json };
}

function inRange(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!(value >= min && value <= max)) throw new BenchError(`--${name} ${text}: a number from ${min} to ${max}`);
  return value;
}

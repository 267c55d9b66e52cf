/**
 * Every scenario, short, one after the other, and one table at the end: `node dist/scripts/bench/all.js`.
 *
 *     --only a,b     some scenarios by name
 *     --seconds N    window of each; without it each has its own short one
 *     --full         each scenario's own window and number of runs, as the published figures have them
 *
 * Each runs in a process of its own, so that none inherits another's heap.
 */
import { parseArgs } from 'node:util';
import { BenchError } from './measure/bench-error.js';
import { BenchProcess } from './measure/child-process.js';
import { whyNoLossyNetwork } from './measure/lossy-network.js';
import { aimText, describeConditions, formatNumber, machine, type Report, verdict } from './measure/report.js';

const SCENARIO_LIMIT_MS = 15 * 60_000;

/** Name, and the options of a short run. */
const SCENARIOS: Readonly<Record<string, readonly string[]>> = {
  'idle-memory': ['--seconds', '6'],
  connects: ['--connections', '5000'],
  'live-room': ['--seconds', '3', '--runs', '2'],
  'nothing-to-coalesce': ['--seconds', '3', '--runs', '3'],
  'fan-out-large': ['--seconds', '4'],
  'flat-out': ['--seconds', '3', '--runs', '1'],
  fairness: ['--seconds', '5'],
  tls: ['--connections', '4000', '--seconds', '3', '--runs', '1'],
  upstream: ['--seconds', '3', '--runs', '2'],
  'bridge-pushes': ['--seconds', '3'],
  'device-calls': ['--seconds', '3', '--runs', '2'],
  events: ['--connections', '5000'],
  cluster: ['--seconds', '3'],
  routes: ['--seconds', '3'],
  quic: ['--seconds', '3', '--connections', '500'],
  'quic-loss': ['--seconds', '3'],
};

/** Scenarios that not every machine can run: each says why this one cannot. */
const OBSTACLES: Readonly<Record<string, () => string | undefined>> = { 'quic-loss': whyNoLossyNetwork };

interface Outcome {
  readonly name: string;
  readonly report?: Report;
  readonly error?: string;
  /** Why it was left out. */
  readonly skipped?: string;
}

async function runOne(name: string, args: readonly string[]): Promise<Outcome> {
  const skipped = OBSTACLES[name]?.();
  if (skipped !== undefined) return { name, skipped };
  process.stderr.write(`${name} ...\n`);
  const scenario = new BenchProcess(`${import.meta.dirname}/${name}.js`, [...args, '--json'], {
    side: 'load',
    lastSignal: 'SIGTERM',
  });
  try {
    return { name, report: await scenario.message<Report>('figures', SCENARIO_LIMIT_MS) };
  } catch {
    return { name, error: scenario.lastWords.trim() || 'took too long' };
  } finally {
    await scenario.stop();
  }
}

function table(outcomes: readonly Outcome[]): string {
  const lines = ['| Scenario | Figure | Value | Aim | Verdict |', '|---|---|---:|---:|---|'];
  for (const { name, report, error, skipped } of outcomes) {
    if (skipped !== undefined) lines.push(`| ${name} | not on this machine: ${skipped} | | | skipped |`);
    if (error !== undefined) lines.push(`| ${name} | did not run: ${error} | | | failed |`);
    for (const figure of report?.figures ?? []) {
      const value = `${formatNumber(figure.value)} ${figure.unit}`.trim();
      lines.push(`| ${report?.title} | ${figure.name} | ${value} | ${aimText(figure)} | ${verdict(figure)} |`);
    }
  }
  return lines.join('\n');
}

/** The machine is the same for all and said once. */
function ownConditions({ conditions }: Report): string {
  const shared = machine();
  return describeConditions(Object.fromEntries(Object.entries(conditions).filter(([name]) => !(name in shared))));
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, seconds: { type: 'string' }, full: { type: 'boolean', default: false } },
});
const names = values.only?.split(',') ?? Object.keys(SCENARIOS);
const unknown = names.find((name) => !(name in SCENARIOS));
if (unknown !== undefined)
  throw new BenchError(`no scenario ${unknown}; there are ${Object.keys(SCENARIOS).join(', ')}`);

const outcomes: Outcome[] = [];
for (const name of names) {
  const own = values.full ? [] : (SCENARIOS[name] ?? []);
  outcomes.push(await runOne(name, values.seconds === undefined ? own : [...own, '--seconds', values.seconds]));
}
process.stdout.write(`${describeConditions(machine())}\n\n${table(outcomes)}\n\n`);
for (const { report } of outcomes) {
  if (report === undefined) continue;
  process.stdout.write(`- ${report.title}: ${ownConditions(report)}. ${report.notes.join(' ')}\n`);
}
process.exitCode = outcomes.some(({ error }) => error !== undefined) ? 1 : 0;

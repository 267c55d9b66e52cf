/**
 * Where the time went: the costliest functions of the CPU profiles that `--cpu-prof DIR` left, a table a thread.
 * `node dist/scripts/bench/profile.js DIR [--rows N] [--skip SECONDS]`; the first seconds are start-up and logins.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const NOT_WORK = new Set(['(idle)', '(root)']);

function selfTimes({ nodes, samples, timeDeltas }: CpuProfile, skipUs: number) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let busyUs = 0;
  let elapsedUs = 0;
  samples.forEach((id, i) => {
    const name = names.get(id) ?? '';
    const us = timeDeltas[i] ?? 0;
    elapsedUs += us;
    if (NOT_WORK.has(name) || elapsedUs < skipUs) return;
    busyUs += us;
    times.set(name, (times.get(name) ?? 0) + us);
  });
  return { busyUs, times: [...times].sort((a, b) => b[1] - a[1]) };
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name}  ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string', default: '25' }, skip: { type: 'string', default: '0' } },
});
const directory = positionals[0] ?? '.';
for (const file of readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'))) {
  const profile = JSON.parse(readFileSync(join(directory, file), 'utf8')) as CpuProfile;
  const { busyUs, times } = selfTimes(profile, Number(values.skip) * 1e6);
  process.stdout.write(`\n${file}: ${(busyUs / 1e6).toFixed(2)} s busy\n`);
  for (const [name, us] of times.slice(0, Number(values.rows))) {
    process.stdout.write(`${((us / busyUs) * 100).toFixed(1).padStart(6)} %  ${name}\n`);
  }
}

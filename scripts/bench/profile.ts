/**
 * Where the time went: the costliest functions of the CPU profiles that `--cpu-prof DIR` left, a table a thread.
 * `node dist/scripts/bench/profile.js DIR [rows]`
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const DEFAULT_ROWS = 25;
const NOT_WORK = new Set(['(idle)', '(root)']);

function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): { busyUs: number; times: [string, number][] } {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let busyUs = 0;
  samples.forEach((id, i) => {
    const name = names.get(id) ?? '';
    if (NOT_WORK.has(name)) return;
    const us = timeDeltas[i] ?? 0;
    busyUs += us;
    times.set(name, (times.get(name) ?? 0) + us);
  });
  return { busyUs, times: [...times].sort((a, b) => b[1] - a[1]) };
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name}  ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
}

const [directory = '.', rows = DEFAULT_ROWS] = process.argv.slice(2);
for (const file of readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'))) {
  const { busyUs, times } = selfTimes(JSON.parse(readFileSync(join(directory, file), 'utf8')) as CpuProfile);
  process.stdout.write(`\n${file}: ${(busyUs / 1e6).toFixed(2)} s busy\n`);
  for (const [name, us] of times.slice(0, Number(rows))) {
    process.stdout.write(`${((us / busyUs) * 100).toFixed(1).padStart(6)} %  ${name}\n`);
  }
}

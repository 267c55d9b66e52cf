/** A soak's figures on standard output, as tables that a person reads. */
import { mib, ms, type SoakFigures } from './verdict.js';

export function printReport(figures: SoakFigures, faults: readonly string[]): void {
  const { before, during, after, heapStartBytes, heapEndBytes, tally, closes } = figures;
  const rows = [before, during, after].map(({ name, count, p50Ms, p99Ms, slowestMs, failures }) => [
    name,
    String(count),
    ms(p50Ms),
    ms(p99Ms),
    ms(slowestMs),
    String(failures.length),
  ]);
  print(['well-behaved users', 'served', 'p50', 'p99', 'slowest', 'failures'], rows);
  const acts = Object.entries(tally.endings).map(([attacker, endings]) => {
    const how = Object.entries(endings).map(([ending, count]) => `${ending} × ${count}`);
    return [attacker, how.join(', ')];
  });
  print(['hostile act', 'how it ended'], acts);
  const codes = Object.entries(closes).map(([code, count]) => [code, String(count)]);
  print(['close code', 'connections'], codes);
  print(
    ['heaps, collected', ''],
    [
      ['start', mib(heapStartBytes)],
      ['end', mib(heapEndBytes)],
    ],
  );
  for (const fault of faults) console.log(`- ${fault}`);
  console.log(faults.length === 0 ? 'verdict: good' : `verdict: ${faults.length} faults`);
}

function print(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] as string).length)));
  for (const row of [head, ...rows]) {
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] as number))
        .join('  ')
        .trimEnd(),
    );
  }
  console.log();
}

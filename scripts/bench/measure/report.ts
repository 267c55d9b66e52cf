/**
 * What a scenario found: ratios measured in one run come before absolute times, because a ratio travels to
 * another machine and a time does not. Printed as Markdown for people, as JSON for `all.ts`.
 */
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { describePinning } from './pinning.js';
import { openFileLimit } from './process-sample.js';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly aim?: { readonly atMost: number } | { readonly atLeast: number };
}

export interface Report {
  readonly title: string;
  /** What was run: connections, payload, rates, durations. */
  readonly conditions: Readonly<Record<string, string | number>>;
  readonly figures: readonly Figure[];
  /** What a reader must know to read the figures right. */
  readonly notes: readonly string[];
}

export function machine(): Record<string, string | number> {
  return {
    node: process.version,
    cpu: `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${release()} ${arch()}`,
    'open files': openFileLimit(),
    pinning: describePinning(),
  };
}

export function verdict(figure: Figure): 'met' | 'missed' | '' {
  if (figure.aim === undefined) return '';
  const met = 'atMost' in figure.aim ? figure.value <= figure.aim.atMost : figure.value >= figure.aim.atLeast;
  return met ? 'met' : 'missed';
}

export function aimText({ aim }: Figure): string {
  if (aim === undefined) return '';
  return 'atMost' in aim ? `<= ${formatNumber(aim.atMost)}` : `>= ${formatNumber(aim.atLeast)}`;
}

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 10 ? 2 : 3;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

export function describeConditions(conditions: Report['conditions']): string {
  return Object.entries(conditions)
    .map(([name, value]) => `${name}: ${value}`)
    .join('; ');
}

export function toMarkdown(report: Report): string {
  const rows = report.figures.map((figure) => {
    const value = `${formatNumber(figure.value)} ${figure.unit}`.trim();
    return `| ${figure.name} | ${value} | ${aimText(figure)} | ${verdict(figure)} |`;
  });
  return [
    `## ${report.title}`,
    '',
    describeConditions(report.conditions),
    '',
    '| Figure | Value | Aim | Verdict |',
    '|---|---:|---:|---|',
    ...rows,
    '',
    ...report.notes.map((note) => `- ${note}`),
    '',
  ].join('\n');
}

/** `trunkline status`: a node at a glance. */
import type { CommandModule } from 'yargs';
import type { NodeStatus, WorkerStatus } from '../../cluster/index.js';
import { callAdmin } from '../admin-call.js';
import { ExitCode } from '../exit-codes.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';
import { duration, mebibytes, table } from '../table.js';

interface StatusArguments extends KeyArguments {
  json: boolean;
}

export const statusCommand: CommandModule<{ json: boolean }, StatusArguments> = {
  command: 'status',
  describe: 'Show how a node is',
  builder: (argv) =>
    withKeyOptions(argv, "the operator's").epilogue(`Exit code ${ExitCode.notDone}: it answers, but is not ready.`),
  handler: async (args) => {
    const status = await callAdmin<NodeStatus>(args, { method: 'GET', segments: ['status'] });
    printResult(args.json, statusText(status), status);
    if (!status.ready) process.exitCode = ExitCode.notDone;
  },
};

function statusText(status: NodeStatus): string {
  const { node, version, incarnation, uptimeMs, connections, limits, membership, overload, memory, config } = status;
  const addresses = Object.entries(status.listeners).map(([protocol, at]) => {
    const advertised = status.accessPoints[protocol];
    return `${protocol} ${at}${advertised === undefined || advertised === at ? '' : ` (told: ${advertised})`}`;
  });
  const rows: readonly (readonly [string, string])[] = [
    ['node', `${node} ${version}, incarnation ${incarnation}`],
    ['state', status.ready ? 'ready' : `not ready: ${status.reason}`],
    ['up', duration(uptimeMs)],
    ['membership', `${membership.state}: ${membership.reason}`],
    ['connections', `${connections} of ${limits.connections}`],
    ['overload', `level ${overload.level}`],
    ['memory', `${mebibytes(memory.rssBytes)} resident, ${mebibytes(memory.heapUsedBytes)} main heap`],
    ['loop delay', `${status.mainEventLoopDelayMs.toFixed(1)} ms in the main thread`],
    ['access', addresses.join(', ')],
    ['config', `in force for ${duration(Date.now() - config.sinceMs)}, reloaded ${config.reloads} times`],
  ];
  const head = rows.map(([name, value]) => `${name.padEnd(12)}${value}`).join('\n');
  return `${head}\n\n${table(['WORKER', 'STATE', 'CRASHES', 'CONNECTIONS', 'GROUPS', 'LOOP DELAY'], status.workers.map(workerRow))}`;
}

function workerRow({ index, up, generation, figures }: WorkerStatus): string[] {
  const unknown = '-';
  return [
    String(index),
    up ? 'up' : 'down',
    String(generation),
    String(figures?.connections ?? unknown),
    String(figures?.groups ?? unknown),
    figures === undefined ? unknown : `${figures.eventLoopDelayMs.toFixed(1)} ms`,
  ];
}

/** `trunkline cluster status`: the service as one of its nodes sees it. */
import type { CommandModule } from 'yargs';
import type { ClusterAnswer } from '../../bridge/index.js';
import { callAdmin } from '../admin-call.js';
import { ExitCode } from '../exit-codes.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { nodeTable } from '../node-table.js';
import { printResult } from '../output.js';
import { duration } from '../table.js';

interface ClusterArguments extends KeyArguments {
  json: boolean;
}

const clusterStatusCommand: CommandModule<{ json: boolean }, ClusterArguments> = {
  command: 'status',
  describe: 'Show the nodes of the service as one of them sees them',
  builder: (argv) =>
    withKeyOptions(argv, "the operator's").epilogue(
      `Exit code ${ExitCode.notDone}: the node that answers is not registered, or another one is suspect.`,
    ),
  handler: async (args) => {
    const answer = await callAdmin<ClusterAnswer>(args, { method: 'GET', segments: ['cluster'] });
    printResult(args.json, clusterText(answer), answer);
    const isWell = answer.own.state === 'registered' && answer.nodes.every(({ state }) => state !== 'suspect');
    if (!isWell) process.exitCode = ExitCode.notDone;
  },
};

export const clusterCommand: CommandModule<{ json: boolean }, { json: boolean }> = {
  command: 'cluster',
  describe: 'Look at the nodes of the service',
  builder: (argv) => argv.command(clusterStatusCommand).demandCommand(1, 'say what to do: status'),
  handler: () => {},
};

function clusterText({ node, engine, leaseMs, own, nodes }: ClusterAnswer): string {
  const live = nodes.filter(({ state }) => state === 'joined');
  const rows: readonly (readonly [string, string])[] = [
    ['asked', `${node}, ${own.state} for ${duration(own.stateMs)} (${own.reason})`],
    ['engine', `${engine}, leases of ${leaseMs} ms`],
    ['nodes', `${live.length} of ${nodes.length} joined`],
    ['connections', String(live.reduce((sum, { connections }) => sum + connections, 0))],
  ];
  const head = rows.map(([name, value]) => `${name.padEnd(13)}${value}`).join('\n');
  return `${head}\n\n${nodeTable(nodes)}`;
}

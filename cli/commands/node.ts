/** `trunkline node list` and `trunkline node drain`. */
import type { CommandModule } from 'yargs';
import type { ClusterAnswer, DrainAnswer } from '../../bridge/index.js';
import { callAdmin } from '../admin-call.js';
import { UsageError } from '../errors.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { nodeTable } from '../node-table.js';
import { printResult } from '../output.js';

interface ListArguments extends KeyArguments {
  all: boolean;
  json: boolean;
}

interface DrainArguments extends KeyArguments {
  node: string | undefined;
  windowMs: number | undefined;
  prefer: string | undefined;
  json: boolean;
}

const listCommand: CommandModule<{ json: boolean }, ListArguments> = {
  command: 'list',
  describe: 'List the nodes of the service',
  builder: (argv) =>
    withKeyOptions(argv, "the operator's").option('all', {
      type: 'boolean',
      default: false,
      describe: 'those too that are gone',
    }),
  handler: async (args) => {
    const answer = await callAdmin<ClusterAnswer>(args, { method: 'GET', segments: ['cluster'] });
    const nodes = answer.nodes.filter(({ state }) => args.all || state !== 'gone');
    printResult(args.json, nodeTable(nodes), { nodes });
  },
};

const drainCommand: CommandModule<{ json: boolean }, DrainArguments> = {
  command: 'drain',
  describe: "Send a node's clients to the others, then stop it",
  builder: (argv) =>
    withKeyOptions(argv, "the operator's")
      .option('node', {
        type: 'string',
        requiresArg: true,
        describe: 'name of the node that is meant: nothing is done when --url is another',
      })
      .option('window-ms', { type: 'number', requiresArg: true, describe: 'over which clients are told to go' })
      .option('prefer', { type: 'string', requiresArg: true, describe: 'name of the node that is to take the clients' })
      .epilogue('Returns as the drain begins. A node is drained at its own private listener (--url).') as never,
  handler: async (args) => {
    const { node, windowMs, prefer: preferNode } = args;
    if (node !== undefined) await checkNode(args, node);
    const body = { windowMs, preferNode };
    const answer = await callAdmin<DrainAnswer>(args, { method: 'POST', segments: ['drain'], body });
    printResult(args.json, drainText(answer), answer);
  },
};

export const nodeCommand: CommandModule<{ json: boolean }, { json: boolean }> = {
  command: 'node',
  describe: 'List the nodes of the service, or drain one',
  builder: (argv) => argv.command(listCommand).command(drainCommand).demandCommand(1, 'say what to do: list, drain'),
  handler: () => {},
};

/** Every node is drained at its own address: a drain that went to the wrong one would be worse than none. */
async function checkNode(args: DrainArguments, wanted: string): Promise<void> {
  const { node, nodes } = await callAdmin<ClusterAnswer>(args, { method: 'GET', segments: ['cluster'] });
  if (node === wanted) return;
  const isKnown = nodes.some(({ name, state }) => name === wanted && state !== 'gone');
  const hint = isKnown
    ? `Give --url the private listener of ${wanted}: a node is drained at its own address.`
    : `No node of this service is called ${wanted}.`;
  throw new UsageError(`${args.url} is ${node}, not ${wanted}; nothing was done. ${hint}`);
}

function drainText({ node, connections, windowMs, withinMs, to }: DrainAnswer): string {
  const where = to.length === 0 ? 'there is no other node to send them to' : `they are sent to ${to.join(', ')}`;
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  return `${node} drains: ${connections} connections over ${seconds(windowMs)}, ${where}; it ends within ${seconds(withinMs)}`;
}

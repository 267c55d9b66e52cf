/**
 * `trunkline kick`: takes a device off. With a business's key that business alone goes, the connection stays; with
 * `--admin` the whole connection closes.
 */
import type { CommandModule } from 'yargs';
import { callAdmin } from '../admin-call.js';
import { callBridge } from '../bridge-call.js';
import { fromEnvironment, Variable } from '../environment.js';
import { ExitCode } from '../exit-codes.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';
import { printable } from '../table.js';

interface KickArguments extends KeyArguments {
  app: string;
  device: string;
  admin: boolean;
  json: boolean;
}

export const kickCommand: CommandModule<{ json: boolean }, KickArguments> = {
  command: 'kick',
  describe: 'Withdraw a business from a device, or disconnect it',
  builder: (argv) => {
    const app = fromEnvironment(Variable.app);
    return withKeyOptions(argv, "the business's, or with --admin the operator's")
      .option('app', {
        type: 'string',
        requiresArg: true,
        describe: `app of the device; also ${Variable.app}`,
        ...(app === undefined ? { demandOption: true as const } : { default: app }),
      })
      .option('device', { type: 'string', demandOption: true, requiresArg: true, describe: 'device id' })
      .option('admin', { type: 'boolean', default: false, describe: 'close the connection, for every business' })
      .epilogue(`Exit code ${ExitCode.notDone}: the device was not there to kick.`) as never;
  },
  handler: async (args) => {
    const { answer, done, text } = args.admin ? await disconnect(args) : await kick(args);
    printResult(args.json, `${printable(args.device)}  ${text}`, answer);
    if (!done) process.exitCode = ExitCode.notDone;
  },
};

interface Outcome {
  readonly answer: object;
  readonly done: boolean;
  readonly text: string;
}

async function kick(args: KickArguments): Promise<Outcome> {
  const kicked = await callBridge(args, (bridge) => bridge.kick(args.device, { app: args.app }));
  return { answer: { kicked }, done: kicked, text: kicked ? 'kicked' : 'was not granted, or is not online' };
}

async function disconnect(args: KickArguments): Promise<Outcome> {
  const segments = ['apps', args.app, 'devices', args.device, 'disconnect'];
  const answer = await callAdmin<{ disconnected: boolean }>(args, { method: 'POST', segments });
  const { disconnected } = answer;
  return { answer, done: disconnected, text: disconnected ? 'disconnected' : 'is not online' };
}

/** `trunkline push`: one message to devices or to a group, through the HTTP bridge, with what became of it. */
import type { CommandModule } from 'yargs';
import { callBridge } from '../bridge-call.js';
import { UsageError } from '../errors.js';
import { ExitCode } from '../exit-codes.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';

interface PushArguments extends KeyArguments {
  text: string;
  app: string | undefined;
  device: string[] | undefined;
  group: string | undefined;
  meta: string[] | undefined;
  json: boolean;
}

export const pushCommand: CommandModule<{ json: boolean }, PushArguments> = {
  command: 'push <text>',
  describe: 'Push a message to devices or to a group',
  builder: (argv) =>
    withKeyOptions(argv, "the business's")
      .positional('text', { type: 'string', demandOption: true, describe: 'the payload, as UTF-8' })
      .option('app', { type: 'string', requiresArg: true, describe: 'app of the devices' })
      .option('device', { type: 'string', array: true, requiresArg: true, describe: 'device id; several for a batch' })
      .option('group', { type: 'string', requiresArg: true, describe: 'group, instead of devices' })
      .option('meta', { type: 'string', array: true, requiresArg: true, describe: 'metadata, key=value' })
      .conflicts('group', ['device', 'app'])
      .example('$0 push "hello" --app demo --device demo-device-1', 'to one device')
      .example('$0 push "hello" --group room-1', 'to every member')
      .epilogue(`Exit code ${ExitCode.notDone}: understood, but not every device got it.`),
  handler: async (args) => {
    const outcome = args.group === undefined ? await toDevices(args) : await toGroup(args, args.group);
    printResult(args.json, outcome.text, outcome.answer);
    if (!outcome.delivered) process.exitCode = ExitCode.notDone;
  },
};

interface Outcome {
  readonly text: string;
  readonly answer: unknown;
  readonly delivered: boolean;
}

async function toDevices(args: PushArguments): Promise<Outcome> {
  const { app, device: devices = [] } = args;
  if (devices.length === 0) throw new UsageError('say where to: --app APP --device ID, or --group GROUP');
  if (app === undefined) throw new UsageError('--device needs --app, the app of the device');
  const answer = await callBridge(args, (bridge) => bridge.pushToDevices(devices, messageOf(args), { app }));
  const width = Math.max(...answer.results.map(({ device }) => device.length));
  return {
    text: answer.results
      .map(({ device, result, reason }) => `${device.padEnd(width)}  ${result}${reason ? `: ${reason}` : ''}`)
      .join('\n'),
    answer,
    delivered: answer.results.every(({ result }) => result === 'delivered'),
  };
}

async function toGroup(args: PushArguments, group: string): Promise<Outcome> {
  const answer = await callBridge(args, (bridge) => bridge.pushToGroup(group, messageOf(args)));
  const { offset, members, unanswered } = answer;
  const silent = unanswered === 0 ? '' : `, ${unanswered} access workers did not answer`;
  return {
    text: `${group}  queued for ${members} ${members === 1 ? 'member' : 'members'} at offset ${offset}${silent}`,
    answer,
    delivered: members > 0 && unanswered === 0,
  };
}

function messageOf({ text, meta = [] }: PushArguments): { payload: string; metadata: Record<string, string> } {
  return { payload: text, metadata: parseMetadata(meta) };
}

/** `['kind=chat']` -> `{ kind: 'chat' }` @throws {UsageError} */
export function parseMetadata(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw new UsageError(`--meta: write key=value, not ${JSON.stringify(pair)}`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

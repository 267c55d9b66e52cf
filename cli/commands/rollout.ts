/** `trunkline rollout`: how far a change has come among the devices, a larger share, and back to nobody. */
import type { CommandModule } from 'yargs';
import type { RolloutAnswer, RolloutsAnswer } from '../../control/index.js';
import { callAdmin } from '../admin-call.js';
import { UsageError } from '../errors.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';
import { duration, table } from '../table.js';

interface ListArguments extends KeyArguments {
  json: boolean;
}

interface NameArguments extends ListArguments {
  name: string;
}

interface SetArguments extends NameArguments {
  share: string;
}

const OPERATOR = "the operator's";

const listCommand: CommandModule<{ json: boolean }, ListArguments> = {
  command: 'list',
  describe: 'Show rollouts and how far each has come',
  builder: (argv) => withKeyOptions(argv, OPERATOR),
  handler: async (args) => {
    const answer = await callAdmin<RolloutsAnswer>(args, { method: 'GET', segments: ['rollouts'] });
    printResult(args.json, rolloutsText(answer.rollouts, Date.now()), answer);
  },
};

const setCommand: CommandModule<{ json: boolean }, SetArguments> = {
  command: 'set <name> <share>',
  describe: 'Let a rollout reach this share of the devices',
  builder: (argv) =>
    withKeyOptions(argv, OPERATOR)
      .positional('name', { type: 'string', demandOption: true, describe: 'as the policies name it' })
      .positional('share', { type: 'string', demandOption: true, describe: 'per cent, 0 to 100' })
      .example('$0 rollout set new-core 5', 'for one device in twenty, those of 1 per cent among them') as never,
  handler: async (args) => {
    const body = { share: shareOf(args.share) };
    const segments = ['rollouts', args.name];
    const answer = await callAdmin<RolloutAnswer>(args, { method: 'PUT', segments, body });
    printResult(args.json, changeText(answer), answer);
  },
};

const backCommand: CommandModule<{ json: boolean }, NameArguments> = {
  command: 'back <name>',
  describe: 'Take a rollout back from every device',
  builder: (argv) =>
    withKeyOptions(argv, OPERATOR).positional('name', {
      type: 'string',
      demandOption: true,
      describe: 'as the policies name it',
    }) as never,
  handler: async (args) => {
    const segments = ['rollouts', args.name, 'back'];
    const answer = await callAdmin<RolloutAnswer>(args, { method: 'POST', segments });
    printResult(args.json, changeText(answer), answer);
  },
};

export const rolloutCommand: CommandModule<{ json: boolean }, { json: boolean }> = {
  command: 'rollout',
  describe: 'Let a change reach more devices, or take it back',
  builder: (argv) =>
    argv
      .command(listCommand)
      .command(setCommand)
      .command(backCommand)
      .demandCommand(1, 'say what to do: list, set or back'),
  handler: () => {},
};

/** `5`, `0.5` or `5%` -> per cent @throws {UsageError} */
export function shareOf(text: string): number {
  const share = /^\d{1,3}(\.\d{1,6})?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(share >= 0 && share <= 100))
    throw new UsageError(`the share is per cent, 0 to 100, not ${JSON.stringify(text)}`);
  return share;
}

export function rolloutsText(rollouts: readonly RolloutAnswer[], nowMs: number): string {
  if (rollouts.length === 0) return 'the policies have no rollout';
  const rows = rollouts.map(({ name, share, shareInFile, set, policies }) => {
    const since = set === undefined ? 'as in the file' : `set ${duration(Math.max(nowMs - set.atMs, 0))} ago`;
    return [name, `${share} %`, `${shareInFile} %`, since, policies.join(', ')];
  });
  return table(['ROLLOUT', 'SHARE', 'IN FILE', '', 'POLICIES'], rows);
}

function changeText({ name, share, set }: RolloutAnswer): string {
  return `${name}: ${share} % of the devices, ${set?.before ?? 0} % before`;
}

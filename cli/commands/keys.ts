/** `trunkline keys rotate`: another key signs device tokens. */
import type { CommandModule } from 'yargs';
import type { RotationAnswer } from '../../bridge/index.js';
import { callAdmin } from '../admin-call.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';

interface RotateArguments extends KeyArguments {
  json: boolean;
}

const rotateCommand: CommandModule<{ json: boolean }, RotateArguments> = {
  command: 'rotate',
  describe: 'Let another key of this node sign device tokens, once all nodes accept it; no token stops working',
  builder: (argv) => withKeyOptions(argv, "the operator's"),
  handler: async (args) => {
    const answer = await callAdmin<RotationAnswer>(args, { method: 'POST', segments: ['keys', 'rotate'] });
    const { kid, previousKid, previousEndsMs } = answer;
    const ends = new Date(previousEndsMs).toISOString();
    printResult(args.json, `${kid} signs\n${previousKid} verifies until ${ends}`, answer);
  },
};

export const keysCommand: CommandModule<{ json: boolean }, { json: boolean }> = {
  command: 'keys',
  describe: 'Rotate the keys that sign device tokens',
  builder: (argv) => argv.command(rotateCommand).demandCommand(1, 'say what: rotate'),
  handler: () => {},
};

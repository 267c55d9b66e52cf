/** `trunkline reload`: a running node reads its configuration again. */
import type { CommandModule } from 'yargs';
import { callAdmin } from '../admin-call.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';

interface ReloadArguments extends KeyArguments {
  json: boolean;
}

export const reloadCommand: CommandModule<{ json: boolean }, ReloadArguments> = {
  command: 'reload',
  describe: 'Let a node read its configuration again',
  builder: (argv) => withKeyOptions(argv, "the operator's"),
  handler: async (args) => {
    const answer = await callAdmin<{ changed: readonly string[] }>(args, { method: 'POST', segments: ['reload'] });
    const { changed } = answer;
    const text =
      changed.length === 0 ? 'nothing changed' : ['changed:', ...changed.map((path) => `  ${path}`)].join('\n');
    printResult(args.json, text, answer);
  },
};

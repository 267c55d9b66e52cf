/** `trunkline policy`: a policies file judged without starting anything, and what a node has in force. */
import type { CommandModule } from 'yargs';
import type { PoliciesAnswer } from '../../control/index.js';
import { callAdmin } from '../admin-call.js';
import { type ConfigArguments, readConfig, withSetOption } from '../config-source.js';
import { ExitCode } from '../exit-codes.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';
import { duration, table } from '../table.js';

interface CheckArguments extends Pick<ConfigArguments, 'set'> {
  file: string;
  config: string | undefined;
  json: boolean;
}

interface StatusArguments extends KeyArguments {
  json: boolean;
}

const checkCommand: CommandModule<{ json: boolean }, CheckArguments> = {
  command: 'check <file>',
  describe: 'Name every problem of a policies file',
  builder: (argv) =>
    withSetOption(argv)
      .positional('file', { type: 'string', demandOption: true, describe: 'YAML file' })
      .option('config', {
        type: 'string',
        alias: 'c',
        requiresArg: true,
        describe: 'configuration whose apps and businesses it may name; they are not checked when absent',
      }) as never,
  handler: async ({ file, config, set, json }) => {
    const { parsePolicies, readPolicyFile } = await import('../node-modules.js');
    const known = config === undefined ? undefined : readConfig({ config, set });
    const policies = parsePolicies(readPolicyFile(file), file, known);
    const count = { policies: policies.names.length, rollouts: policies.rollouts.size };
    const text = `${file}: no problems; ${count.policies} policies, ${count.rollouts} rollouts`;
    printResult(json, text, { file, problems: [], ...count });
  },
};

const statusCommand: CommandModule<{ json: boolean }, StatusArguments> = {
  command: 'status',
  describe: 'Show the policies that a node has in force',
  builder: (argv) =>
    withKeyOptions(argv, "the operator's").epilogue(`Exit code ${ExitCode.notDone}: the file as it is now is refused.`),
  handler: async (args) => {
    const answer = await callAdmin<PoliciesAnswer>(args, { method: 'GET', segments: ['policies'] });
    printResult(args.json, policiesText(answer, Date.now()), answer);
    if (answer.refused !== undefined) process.exitCode = ExitCode.notDone;
  },
};

export const policyCommand: CommandModule<{ json: boolean }, { json: boolean }> = {
  command: 'policy',
  describe: 'Check a policies file, or look at those in force',
  builder: (argv) => argv.command(checkCommand).command(statusCommand).demandCommand(1, 'say what: check or status'),
  handler: () => {},
};

export function policiesText({ file, sinceMs, policies, refused }: PoliciesAnswer, nowMs: number): string {
  const rows = policies.map(({ name, decisions }) => [name, String(decisions)]);
  const problems = (refused?.problems ?? []).map(({ path, line, message }) => {
    const place = [line === undefined ? '' : `line ${line}`, path].filter((part) => part !== '').join(', ');
    return `  ${place === '' ? message : `${place}: ${message}`}`;
  });
  return [
    file === null ? 'no policies file' : `${file}, for ${duration(Math.max(nowMs - sinceMs, 0))}`,
    ...(refused === undefined ? [] : ['the file as it is now is refused, and older policies stay:', ...problems]),
    ...(rows.length === 0 ? [] : ['', table(['POLICY', 'BOOTSTRAPS'], rows)]),
  ].join('\n');
}

#!/usr/bin/env node
/**
 * The `trunkline` command. Arguments are parsed here, each command does its work in its own file, and whatever a
 * command throws ends here as one message and an exit code.
 */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { clusterCommand } from './commands/cluster.js';
import { completionCommand } from './commands/completion.js';
import { configCommand } from './commands/config.js';
import { connectCommand } from './commands/connect.js';
import { demoCommand } from './commands/demo.js';
import { devicesCommand } from './commands/devices.js';
import { explainCommand } from './commands/explain.js';
import { groupsCommand } from './commands/groups.js';
import { keysCommand } from './commands/keys.js';
import { kickCommand } from './commands/kick.js';
import { nodeCommand } from './commands/node.js';
import { policyCommand } from './commands/policy.js';
import { pushCommand } from './commands/push.js';
import { reloadCommand } from './commands/reload.js';
import { revokeCommand } from './commands/revoke.js';
import { rolloutCommand } from './commands/rollout.js';
import { startCommand } from './commands/start.js';
import { statusCommand } from './commands/status.js';
import { tokenCommand } from './commands/token.js';
import { UsageError } from './errors.js';
import { printError } from './output.js';

const args = hideBin(process.argv);

const parser = yargs(args)
  .scriptName('trunkline')
  .usage('$0 <command>\n\nOne persistent connection per device, shared by many businesses.')
  .option('json', { type: 'boolean', default: false, global: true, describe: 'print results and errors as JSON' })
  .command(startCommand)
  .command(demoCommand)
  .command(connectCommand)
  .command(tokenCommand)
  .command(pushCommand)
  .command(kickCommand)
  .command(revokeCommand)
  .command(keysCommand)
  .command(statusCommand)
  .command(clusterCommand)
  .command(nodeCommand)
  .command(devicesCommand)
  .command(explainCommand)
  .command(rolloutCommand)
  .command(policyCommand)
  .command(groupsCommand)
  .command(reloadCommand)
  .command(configCommand)
  .command(completionCommand)
  .demandCommand(1, 'say what to do, such as demo or start')
  .strict()
  // A flag that is given twice must not become an array where a text is expected.
  .parserConfiguration({ 'duplicate-arguments-array': true, 'greedy-arrays': false })
  .wrap(Math.min(100, process.stdout.columns ?? 80))
  .epilogue('Exit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 node refused, 5 not all came true.')
  .exitProcess(false)
  .fail((message, error) => {
    throw error ?? new UsageError(`${message}. See: trunkline --help`);
  });

try {
  await parser.parseAsync();
} catch (error) {
  process.exitCode = printError(error, args.includes('--json'));
}
// A command that returned has ended what it started; an idle keep-alive socket is no reason to stay.
process.exit();

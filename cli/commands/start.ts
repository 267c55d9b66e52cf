/** `trunkline start`: a node from a configuration file, until a signal. */
import type { CommandModule } from 'yargs';
import { createLogger, type NodeHandle } from '../../cluster/index.js';
import { loadConfig } from '../../config/index.js';
import { startComposedNode } from '../compose.js';
import { printResult } from '../output.js';
import { stopSignal } from '../signals.js';

interface StartArguments {
  config: string;
  json: boolean;
}

export const startCommand: CommandModule<{ json: boolean }, StartArguments> = {
  command: 'start',
  describe: 'Start a node from a configuration file',
  builder: (argv) =>
    argv
      .option('config', { type: 'string', alias: 'c', demandOption: true, requiresArg: true, describe: 'YAML file' })
      .example('$0 start --config trunkline.yaml', 'runs until SIGTERM or Ctrl-C, then drains'),
  handler: async ({ config: path, json }) => {
    const config = loadConfig(path);
    const stopped = stopSignal();
    const node = await startComposedNode(config, createLogger({ level: config.node.logLevel, name: config.node.name }));
    printResult(json, addressText(node), { addresses: node.addresses });
    await stopped;
    await node.stop();
  },
};

function addressText({ addresses }: NodeHandle): string {
  const { tcp = 'off', ws, services } = addresses;
  return [
    `access tcp  ${tcp}`,
    `access ws   ${ws === undefined ? 'off' : `ws://${ws}/connect`}`,
    `public      http://${services['ControlActor']}`,
    `private     http://${services['BridgeActor']}`,
  ].join('\n');
}

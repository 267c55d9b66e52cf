/** `trunkline start`: a node from a configuration file, until a signal. */
import type { CommandModule } from 'yargs';
import type { NodeHandle } from '../../cluster/index.js';
import { type ConfigArguments, readConfig, withConfigOptions } from '../config-source.js';
import { printResult } from '../output.js';
import type { Reloader } from '../reloader.js';
import { stopSignal } from '../signals.js';

interface StartArguments extends ConfigArguments {
  json: boolean;
}

export const startCommand: CommandModule<{ json: boolean }, StartArguments> = {
  command: 'start',
  describe: 'Start a node from a configuration file',
  builder: (argv) =>
    withConfigOptions(argv)
      .example('$0 start --config trunkline.yaml', 'runs until SIGTERM or Ctrl-C, then drains')
      .epilogue('SIGHUP reads the configuration again.'),
  handler: async (args) => {
    const { json } = args;
    const config = readConfig(args);
    const stopped = stopSignal();
    const hangups = reloadOnHangup();
    const { createLogger, startComposedNode } = await import('../node-modules.js');
    const log = createLogger({ level: config.node.logLevel, name: config.node.name });
    const node = await startComposedNode(config, log, { readConfig: () => readConfig(args) });
    hangups.attach(node.reloader);
    printResult(json, addressText(node), { addresses: node.addresses });
    // A signal, or an operator who has it drained.
    await Promise.race([stopped, node.stopped]);
    await node.stop();
  },
};

/** SIGHUP, whose own action is the end of the process; one that comes while the node starts is kept. */
function reloadOnHangup(): { attach(reloader: Reloader | undefined): void } {
  let reload: (() => void) | undefined;
  let isAsked = false;
  process.on('SIGHUP', () => {
    if (reload === undefined) isAsked = true;
    else reload();
  });
  return {
    attach(reloader) {
      reload = () => reloader?.onSignal();
      if (isAsked) reload();
    },
  };
}

function addressText({ addresses }: NodeHandle): string {
  const { tcp = 'off', ws, tls, wss, quic, services } = addresses;
  return [
    `access tcp  ${tcp}`,
    `access ws   ${ws === undefined ? 'off' : `ws://${ws}/connect`}`,
    ...(tls === undefined ? [] : [`access tls  ${tls}`]),
    ...(quic === undefined ? [] : [`access quic ${quic} (UDP)`]),
    ...(wss === undefined ? [] : [`access wss  wss://${wss}/connect`]),
    `public      ${services['ControlActor'] === undefined ? 'off' : `http://${services['ControlActor']}`}`,
    `private     http://${services['BridgeActor']}`,
  ].join('\n');
}

/** `trunkline connect`: a device on a terminal. It sees pushes as they come and sends what is typed. */
import type { CommandModule } from 'yargs';
import { BootstrapError, ConnectError, nodeTransports, type Protocol } from '../../sdk/node.js';
import { parseCommandLine } from '../connect/command-line.js';
import { type CredentialArguments, clientOptions } from '../connect/credentials.js';
import { type DeviceEvent, eventText } from '../connect/device-event.js';
import { Terminal } from '../connect/terminal.js';
import { reasonOf, TerminalDevice } from '../connect/terminal-device.js';
import { fromEnvironment, Variable } from '../environment.js';
import { NodeRefusedError } from '../errors.js';
import { ExitCode } from '../exit-codes.js';
import { stopSignal } from '../signals.js';

const DEFAULT_PUBLIC_URL = 'http://127.0.0.1:7200';

interface ConnectArguments extends CredentialArguments {
  answer: string | undefined;
  stay: boolean;
  json: boolean;
}

export const connectCommand: CommandModule<{ json: boolean }, ConnectArguments> = {
  command: 'connect',
  describe: 'Be a device: see pushes, send requests',
  builder: (argv) =>
    argv
      .option('app', {
        type: 'string',
        requiresArg: true,
        default: fromEnvironment(Variable.app),
        describe: `bootstrap as a device of this app; also ${Variable.app}`,
      })
      .option('public-url', {
        type: 'string',
        requiresArg: true,
        default: fromEnvironment(Variable.publicUrl) ?? DEFAULT_PUBLIC_URL,
        describe: `the node's public listener; also ${Variable.publicUrl}`,
      })
      .option('identity', {
        type: 'string',
        requiresArg: true,
        describe: 'file that keeps the device id and its secret, to be the same device again',
      })
      .option('assertion-file', { type: 'string', requiresArg: true, describe: "file with the back-end's assertion" })
      .option('token-file', {
        type: 'string',
        requiresArg: true,
        describe: 'file with a token, instead of a bootstrap',
      })
      .option('token', { type: 'string', requiresArg: true, describe: `the token itself; better: ${Variable.token}` })
      .option('access', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'with a token: host:port, or ws://host:port/connect; several are tried in order',
      })
      .option('protocol', {
        array: true,
        requiresArg: true,
        choices: Object.keys(nodeTransports()) as Protocol[],
        describe: 'only by this one; several: whichever of them the service puts first',
      })
      .option('ca', {
        type: 'string',
        requiresArg: true,
        describe: "PEM file with the authorities to trust for tls, wss and quic, instead of the platform's",
      })
      .option('answer', {
        type: 'string',
        requiresArg: true,
        describe: 'answer requests of back-ends with this; without it they are UNIMPLEMENTED',
      })
      .option('stay', { type: 'boolean', default: false, describe: 'go on listening when the input ends' })
      .conflicts('token', ['token-file', 'identity', 'assertion-file'])
      .conflicts('token-file', ['identity', 'assertion-file'])
      .example('$0 connect --app shop', 'then /help')
      .example(`echo '/request im hello {}' | $0 connect --app shop --json`, 'one request from a script')
      .epilogue(
        `Exit codes: ${ExitCode.refused} refused or sent away, ${ExitCode.notDone} a line of piped input did not come true.`,
      ) as never,
  handler: async (args) => {
    let failed = false;
    const terminal: Terminal = new Terminal({
      input: process.stdin,
      output: process.stdout,
      onLine: async (line) => {
        const command = parseCommandLine(line);
        if (command === undefined) return true;
        if ('verb' in command && command.verb === 'quit') return false;
        if ('problem' in command) emit({ type: 'error', code: 'TRK_USAGE', message: command.problem });
        const ok = 'verb' in command && (await device.run(command));
        failed ||= !ok;
        return true;
      },
    });
    const emit = (event: DeviceEvent): void => terminal.print(args.json ? JSON.stringify(event) : eventText(event));
    const device = new TerminalDevice({ client: clientOptions(args), emit, answer: args.answer });
    try {
      await open(device, args);
      const stopped = stopSignal();
      const dismissal = await Promise.race([
        device.dismissed.then((reason) => new NodeRefusedError(`sent away: ${reason}`, undefined, undefined)),
        stopped,
        terminal.read().then(() => (args.stay && !terminal.isInteractive ? stopped : undefined)),
      ]);
      if (dismissal instanceof NodeRefusedError) throw dismissal;
    } finally {
      terminal.close();
      device.close();
    }
    if (failed && !terminal.isInteractive) process.exitCode = ExitCode.notDone;
  },
};

async function open(device: TerminalDevice, { publicUrl }: CredentialArguments): Promise<void> {
  try {
    await device.open();
  } catch (error) {
    if (error instanceof BootstrapError) throw bootstrapFailed(error, publicUrl);
    if (error instanceof ConnectError)
      throw new NodeRefusedError(connectFailed(error), undefined, error.code, { cause: error });
    throw error;
  }
}

function bootstrapFailed(error: BootstrapError, publicUrl: string): NodeRefusedError {
  const { httpStatus, problemCode, cause, message } = error;
  if (httpStatus !== undefined || !(cause instanceof Error)) {
    return new NodeRefusedError(message, httpStatus, problemCode ?? error.code, { cause: error });
  }
  const advice = `Is the node running? --public-url or ${Variable.publicUrl} names its public listener.`;
  return new NodeRefusedError(`${publicUrl} does not answer (${reasonOf(cause)}). ${advice}`, undefined, error.code, {
    cause: error,
  });
}

function connectFailed({ message, closeCode }: ConnectError): string {
  if (closeCode !== undefined) return `${message}.`;
  return `${message}. Can this machine reach the access point? A node tells clients its access.*.advertise.`;
}

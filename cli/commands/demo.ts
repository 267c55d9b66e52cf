/** `trunkline demo`: a complete node on loopback with two sample businesses and a page to play with. */
import type { Argv, CommandModule } from 'yargs';
import { DEFAULT_PORT_BASE, MAX_PORT_BASE } from '../../demo/index.js';
import { demoSummary } from '../demo-summary.js';
import { DemoPartFailedError, UsageError } from '../errors.js';
import { ExitCode } from '../exit-codes.js';
import { printResult } from '../output.js';
import type { DemoOptions } from '../run-demo.js';
import { stopSignal } from '../signals.js';

/** Everything has ended before this, or is ended. */
const STOP_LIMIT_MS = 9_000;

interface DemoArguments {
  portBase: number;
  logLevel: DemoOptions['logLevel'];
  json: boolean;
}

export const demoCommand: CommandModule<{ json: boolean }, DemoArguments> = {
  command: 'demo',
  describe: 'Run a complete demo on loopback: node, two back-ends, page',
  // yargs adds the camel-case names at run time, which its types do not see.
  builder: (argv: Argv<{ json: boolean }>) =>
    argv
      .option('port-base', {
        type: 'number',
        default: DEFAULT_PORT_BASE,
        requiresArg: true,
        describe:
          'N: tcp N, ws N+1, tls N+10, wss N+11, quic N+12, control N+100, bridge N+200, page N+300; 0: any free ports',
      })
      .option('log-level', {
        choices: ['error', 'warn', 'info', 'debug'] as const,
        default: 'warn' as const,
        describe: "the node's log, on stderr",
      }) as unknown as Argv<DemoArguments>,
  handler: async ({ portBase, logLevel, json }) => {
    checkPortBase(portBase);
    const { createLogger, startDemo } = await import('../node-modules.js');
    const startedMs = performance.now();
    const stopped = stopSignal();
    const demo = await startDemo({
      portBase,
      logLevel,
      log: createLogger({ level: logLevel, name: 'demo' }),
      onPush: (deviceId, text) => json || process.stdout.write(`  ${deviceId} got ${text}\n`),
    });
    const colour = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
    const summary = demoSummary(demo, { startedInMs: performance.now() - startedMs, colour });
    const { addresses, devices, curl, connect } = demo;
    printResult(json, summary, { addresses, devices, curl, connect });
    try {
      await Promise.race([stopped, demo.failed]);
      if (!json) process.stdout.write('\n  Stopping...\n');
    } catch (error) {
      throw new DemoPartFailedError(`${(error as Error).message}; the demo ends with it`, { cause: error });
    } finally {
      setTimeout(giveUp, STOP_LIMIT_MS).unref();
      await demo.stop();
    }
  },
};

function giveUp(): never {
  process.stderr.write(`trunkline: not everything ended within ${STOP_LIMIT_MS / 1000} s; forced\n`);
  process.exit(ExitCode.failed);
}

function checkPortBase(base: number): void {
  if (Number.isInteger(base) && (base === 0 || (base >= 1024 && base <= MAX_PORT_BASE))) return;
  throw new UsageError(`--port-base: 0, or a whole number from 1024 to ${MAX_PORT_BASE}`);
}

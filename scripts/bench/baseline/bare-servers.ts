/** Starts the bare servers that figures are compared with, each in a process of its own on the server's core. */
import type { Protocol } from '../load/fleet.js';
import { BenchProcess, type StartOptions } from '../measure/child-process.js';

export interface RunningServer {
  readonly process: BenchProcess;
  readonly port: number;
}

export interface BareFanout extends RunningServer {
  /** Whole frames written here go to every connection. */
  readonly feedPort: number;
}

export async function startBareFanout(protocol: Protocol, windowMs: number): Promise<BareFanout> {
  const process = start('bare-fanout.js', ['--protocol', protocol, '--window-ms', String(windowMs)]);
  return { process, ...(await process.message<{ port: number; feedPort: number }>('feedPort')) };
}

export async function startBareAccept(protocol: Protocol): Promise<RunningServer> {
  const process = start('bare-accept.js', ['--protocol', protocol]);
  return { process, ...(await process.message<{ port: number }>('port')) };
}

/** The HTTP back-end, on the load's core. */
export async function startBackEnd(): Promise<RunningServer> {
  const process = start('back-end.js', [], { side: 'load' });
  return { process, ...(await process.message<{ port: number }>('port')) };
}

export interface DirectResult {
  readonly requests: number;
  readonly cpuUs: number;
  readonly seconds: number;
}

export interface DirectOptions {
  readonly port: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly bytes: number;
  readonly windowMs: number;
}

/** Calls the back-end with `undici` alone, from the server's core. */
export async function callDirectly(options: DirectOptions): Promise<DirectResult> {
  const process = start('direct-client.js', [
    ...['--url', `http://127.0.0.1:${options.port}/`, '--connections', String(options.connections)],
    ...['--in-flight', String(options.inFlight), '--bytes', String(options.bytes)],
    ...['--window-ms', String(options.windowMs)],
  ]);
  const result = await process.message<DirectResult>('requests', options.windowMs + 30_000);
  await process.stop();
  return result;
}

function start(file: string, args: readonly string[], options: StartOptions = { side: 'server' }): BenchProcess {
  return new BenchProcess(`${import.meta.dirname}/${file}`, args, options);
}

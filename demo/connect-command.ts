/** The command that makes a terminal a device of the demo: one line of POSIX shell that works as it stands. */
import { DEMO_APP } from './config.js';

export interface ConnectOptions {
  /** Base URL of the control layer. */
  readonly controlUrl: string;
  /** PEM file with the demo's certificate. */
  readonly certFile: string;
  readonly protocol: string;
}

export function connectCommand({ controlUrl, certFile, protocol }: ConnectOptions): string {
  const ca = `'${certFile.replaceAll("'", String.raw`'\''`)}'`;
  return `npx trunkline connect --app ${DEMO_APP} --public-url ${controlUrl} --ca ${ca} --protocol ${protocol}`;
}

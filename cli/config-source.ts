/**
 * The configuration of a command that takes a file: the file, the environment over it, `--set` flags over that. A
 * reload reads all of it again; the environment of a running process does not change, the file does.
 */
import type { Argv } from 'yargs';
import { environmentOverrides, flagOverride, loadConfig, type NodeConfig, type Override } from '../config/index.js';
import { fromEnvironment, Variable } from './environment.js';
import { UsageError } from './errors.js';

export interface ConfigArguments {
  config: string;
  set: string[] | undefined;
}

/** Adds `--config` and `--set`. */
export function withConfigOptions<T>(argv: Argv<T>): Argv<T & ConfigArguments> {
  const fallback = fromEnvironment(Variable.config);
  return withSetOption(
    argv.option('config', {
      type: 'string',
      alias: 'c',
      requiresArg: true,
      describe: `YAML file; also ${Variable.config}`,
      ...(fallback === undefined ? { demandOption: true } : { default: fallback }),
    }),
  ) as unknown as Argv<T & ConfigArguments>;
}

export function withSetOption<T>(argv: Argv<T>): Argv<T & Pick<ConfigArguments, 'set'>> {
  return argv.option('set', {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'a setting over the file, such as access.tcp.port=7100; repeatable',
  }) as unknown as Argv<T & Pick<ConfigArguments, 'set'>>;
}

/** @throws {UsageError} a `--set` that is none; {ConfigError} with every problem */
export function readConfig({ config, set = [] }: ConfigArguments): NodeConfig {
  return loadConfig(config, { overrides: [...environmentOverrides(process.env), ...set.map(parseFlag)] });
}

function parseFlag(setting: string): Override {
  const override = flagOverride(setting);
  if (override !== undefined) return override;
  throw new UsageError(`--set: write path=value, such as limits.inFlight=32, not ${JSON.stringify(setting)}`);
}

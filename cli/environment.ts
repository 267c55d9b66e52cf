/**
 * Environment variables that stand for flags, so that a shell is set up once. A flag always wins. Settings of the node
 * itself (`TRUNKLINE_NODE__WORKERS`) are the configuration's, see `config/overrides.ts`.
 *
 * @see docs/operations.md, "Command line"
 */
export const Variable = {
  /** `--url`: the private listener. */
  url: 'TRUNKLINE_URL',
  /** `--public-url`: the public listener. */
  publicUrl: 'TRUNKLINE_PUBLIC_URL',
  /** `--key` */
  key: 'TRUNKLINE_KEY',
  /** `--key-file` */
  keyFile: 'TRUNKLINE_KEY_FILE',
  /** `--app` */
  app: 'TRUNKLINE_APP',
  /** `--token` of `connect` */
  token: 'TRUNKLINE_TOKEN',
  /** `--config` */
  config: 'TRUNKLINE_CONFIG',
} as const;
export type Variable = (typeof Variable)[keyof typeof Variable];

export type Environment = Readonly<Record<string, string | undefined>>;

/** @returns undefined also for a variable that is set to nothing */
export function fromEnvironment(variable: Variable, env: Environment = process.env): string | undefined {
  const value = env[variable]?.trim();
  return value === '' ? undefined : value;
}

/** `trunkline config`: a configuration file judged without starting anything, and the schema it follows. */
import type { CommandModule } from 'yargs';
import { ConfigError, configJsonSchemaText, type NodeConfig } from '../../config/index.js';
import { type ConfigArguments, readConfig, withSetOption } from '../config-source.js';
import { fromEnvironment, Variable } from '../environment.js';
import { UsageError } from '../errors.js';
import { printResult } from '../output.js';

interface CheckArguments extends Pick<ConfigArguments, 'set'> {
  file: string | undefined;
  json: boolean;
}

const checkCommand: CommandModule<{ json: boolean }, CheckArguments> = {
  command: 'check [file]',
  describe: 'Name every problem of a configuration file',
  builder: (argv) =>
    withSetOption(argv).positional('file', {
      type: 'string',
      describe: `YAML file; ${Variable.config} when absent`,
    }),
  handler: async ({ file = fromEnvironment(Variable.config), set, json }) => {
    if (file === undefined) throw new UsageError(`say which file: config check FILE, or set ${Variable.config}`);
    const config = readConfig({ config: file, set });
    await checkQuic(file, config);
    const { apps, businesses } = config;
    const count = { apps: Object.keys(apps).length, businesses: Object.keys(businesses).length };
    const text = `${file}: no problems; ${count.apps} apps, ${count.businesses} businesses`;
    printResult(json, text, { file, problems: [], ...count });
  },
};

/** Only loading tells whether a binary can be used here. @throws {ConfigError} */
async function checkQuic(file: string, { access, node }: NodeConfig): Promise<void> {
  if (access.quic === null || !node.roles.includes('access')) return;
  const { loadQuiche } = await import('../node-modules.js');
  try {
    await loadQuiche();
  } catch (error) {
    throw new ConfigError(file, [{ path: 'access.quic', message: (error as Error).message }]);
  }
}

const schemaCommand: CommandModule<{ json: boolean }, { json: boolean }> = {
  command: 'schema',
  describe: 'Print the JSON Schema of the configuration file',
  handler: () => {
    process.stdout.write(configJsonSchemaText());
  },
};

export const configCommand: CommandModule<{ json: boolean }, { json: boolean }> = {
  command: 'config',
  describe: 'Check a configuration file, or print its schema',
  builder: (argv) => argv.command(checkCommand).command(schemaCommand).demandCommand(1, 'say what: check or schema'),
  handler: () => {},
};

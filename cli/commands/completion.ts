/**
 * `trunkline completion`: a script for the shell, which asks this command for the words. yargs has one for each shell
 * and looks at SHELL when it is made; here the shell is named instead, because a package builds for both.
 */
import yargs, { type CommandModule } from 'yargs';

const SHELLS = ['bash', 'zsh'] as const;

interface CompletionArguments {
  shell: (typeof SHELLS)[number];
}

/** What the types of yargs leave out. */
interface ScriptWriter {
  showCompletionScript(name: string, command: string): unknown;
}

export const completionCommand: CommandModule<object, CompletionArguments> = {
  command: 'completion <shell>',
  describe: 'Print a completion script for bash or zsh',
  builder: (argv) =>
    argv
      .positional('shell', { choices: SHELLS, demandOption: true, describe: 'whose script' })
      .example('source <($0 completion bash)', 'in ~/.bashrc')
      .example('$0 completion zsh >> ~/.zshrc', 'once'),
  handler: ({ shell }) => {
    process.env['SHELL'] = shell;
    Reflect.deleteProperty(process.env, 'ZSH_NAME');
    const parser = yargs([]) as unknown as ScriptWriter;
    parser.showCompletionScript('trunkline', `completion ${shell}`);
  },
};

/** `trunkline config` and `trunkline completion`: no node needed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { runCli } from '../support/cli.js';

const dir = mkdtempSync(join(tmpdir(), 'trunkline-config-cli-'));
test.after.always(() => rmSync(dir, { recursive: true }));

const CONFIG = `apps: { shop: { keys: [app-key-0123456789] } }
businesses: { im: { id: 1, apps: [shop], keys: [im-key-0123456789] } }
`;

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

test('config check: a good file, for people, machines and scripts', async (t) => {
  const path = file('good.yaml', CONFIG);
  const text = await runCli(['config', 'check', path]);
  t.deepEqual([text.code, text.stdout], [0, `${path}: no problems; 1 apps, 1 businesses\n`]);
  const json = await runCli(['config', 'check', '--json'], { env: { TRUNKLINE_CONFIG: path } });
  t.deepEqual(JSON.parse(json.stdout), { file: path, problems: [], apps: 1, businesses: 1 });
});

test('config check: every problem at once, with the line, the variable or the flag', async (t) => {
  const path = file('bad.yaml', `${CONFIG}limits: { conections: 1 }\n`);
  const args = ['config', 'check', path, '--set', 'node.logLevel=loud'];
  const { code, stdout, stderr } = await runCli(args, { env: { TRUNKLINE_NODE__WORKERS: 'many' } });
  t.is(code, 3);
  t.is(stdout, '');
  t.regex(stderr, /bad\.yaml: 3 problems/);
  t.regex(stderr, /line 3, limits\.conections: there is no such setting/);
  t.regex(stderr, /environment variable TRUNKLINE_NODE__WORKERS, node\.workers: must be a number/);
  t.regex(stderr, /--set node\.logLevel, node\.logLevel: must be one of/);
});

test('config check: a file that is not there, none named, and a flag that is none', async (t) => {
  t.is((await runCli(['config', 'check', join(dir, 'none.yaml')])).code, 3);
  const none = await runCli(['config', 'check'], { env: { TRUNKLINE_CONFIG: '' } });
  t.is(none.code, 2);
  t.regex(none.stderr, /say which file/);
  const flag = await runCli(['config', 'check', file('flag.yaml', CONFIG), '--set', 'node.workers']);
  t.is(flag.code, 2);
  t.regex(flag.stderr, /--set: write path=value/);
});

test('config schema: prints what is published', async (t) => {
  const { code, stdout } = await runCli(['config', 'schema']);
  t.is(code, 0);
  t.is(stdout, readFileSync('config/trunkline.schema.json', 'utf8'));
});

test('config: without a word what to do', async (t) => {
  const { code, stderr } = await runCli(['config']);
  t.is(code, 2);
  t.regex(stderr, /say what: check or schema/);
});

test('completion: a script for each shell, whichever shell this is', async (t) => {
  const bash = await runCli(['completion', 'bash'], { env: { SHELL: '/bin/zsh', ZSH_NAME: 'zsh' } });
  t.is(bash.code, 0);
  t.regex(bash.stdout, /complete -o bashdefault .* _trunkline_yargs_completions trunkline/);
  t.is(spawnSync('bash', ['-n'], { input: bash.stdout }).status, 0);
  const zsh = await runCli(['completion', 'zsh'], { env: { SHELL: '/bin/bash' } });
  t.regex(zsh.stdout, /^#compdef trunkline\n/);
  t.is((await runCli(['completion', 'fish'])).code, 2);
});

test('completion: commands and flags are offered', async (t) => {
  const words = async (...line: string[]) => {
    const env = { SHELL: '/bin/bash', ZSH_NAME: '' };
    return (await runCli(['--get-yargs-completions', 'trunkline', ...line], { env })).stdout.split('\n');
  };
  const commands = await words('');
  for (const command of ['start', 'connect', 'config', 'status']) t.true(commands.includes(command), command);
  t.true((await words('push', '--')).includes('--group'));
  const config = await words('config', '');
  t.true(config.includes('check') && config.includes('schema'));
});

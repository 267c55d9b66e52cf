/**
 * An installation of this package that lacks another one: the built files in a folder of their own, beside all packages but
 * that. Node resolves from there as it does where the optional package could not be installed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { CliResult } from './cli.js';

const DIST = 'dist';
const LEFT_OUT = [join(DIST, 'test'), join(DIST, 'scripts')];

export class Installation {
  readonly dir: string;

  /** @param scope such as `@matrixai`, with all of its packages */
  static without(t: Pick<ExecutionContext, 'teardown'>, scope: string): Installation {
    const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    cpSync(DIST, join(dir, DIST), { recursive: true, filter: (source) => !LEFT_OUT.includes(source) });
    cpSync('package.json', join(dir, 'package.json'));
    const packages = realpathSync('node_modules');
    mkdirSync(join(dir, 'node_modules'));
    for (const name of readdirSync(packages)) {
      if (name !== scope) symlinkSync(join(packages, name), join(dir, 'node_modules', name));
    }
    return new Installation(dir);
  }

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** Copies a package into it, to be changed there. */
  add(name: string): string {
    const to = join(this.dir, 'node_modules', name);
    cpSync(realpathSync(join('node_modules', name)), to, { recursive: true });
    return to;
  }

  /** Runs Node there to its end. */
  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
    const child = spawn(process.execPath, args, { cwd: this.dir, env: { ...process.env, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const [code] = (await once(child, 'close')) as [number];
    return { code, stdout, stderr };
  }
}

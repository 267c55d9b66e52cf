/**
 * `trunkline revoke`: takes back a token, a device or everything of an app. With the app's key, or with `--admin` and an
 * operator's, which reaches every app.
 */
import type { CommandModule } from 'yargs';
import { callAdmin, callPrivate } from '../admin-call.js';
import { fromEnvironment, Variable } from '../environment.js';
import { UsageError } from '../errors.js';
import { ExitCode } from '../exit-codes.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';

interface RevokeArguments extends KeyArguments {
  app: string;
  jti: string | undefined;
  device: string | undefined;
  /** The flags that exclude one another have no defaults, since yargs would take those for conflicts. */
  identity: boolean | undefined;
  before: string | undefined;
  all: boolean | undefined;
  lift: boolean | undefined;
  admin: boolean;
  json: boolean;
}

interface RevocationAnswer {
  readonly closed: number;
  readonly untilMs?: number;
}

export const revokeCommand: CommandModule<{ json: boolean }, RevokeArguments> = {
  command: 'revoke',
  describe: 'Take back a token, a device, or everything of an app; or lift that',
  builder: (argv) => {
    const app = fromEnvironment(Variable.app);
    return withKeyOptions(argv, "the app's, or with --admin the operator's")
      .option('app', {
        type: 'string',
        requiresArg: true,
        describe: `app; also ${Variable.app}`,
        ...(app === undefined ? { demandOption: true as const } : { default: app }),
      })
      .option('jti', { type: 'string', requiresArg: true, describe: 'one token, by the id that its issue told' })
      .option('device', { type: 'string', requiresArg: true, describe: 'what this device was issued up to --before' })
      .option('identity', { type: 'boolean', describe: 'with --device: and it gets no new token' })
      .option('all', { type: 'boolean', describe: 'what every device of the app was issued' })
      .option('before', {
        type: 'string',
        requiresArg: true,
        describe: 'issued up to this time, ISO 8601; default: now',
      })
      .option('lift', { type: 'boolean', describe: 'with --device: it may have tokens again' })
      .option('admin', { type: 'boolean', default: false, describe: 'as an operator' })
      .conflicts('jti', ['device', 'before', 'all'])
      .conflicts('device', 'all')
      .conflicts('lift', ['jti', 'all', 'before', 'identity'])
      .example('$0 revoke --app shop --device till-7 --identity', 'a till that was stolen')
      .example('$0 revoke --app shop --all', 'everybody fetches a new token') as never;
  },
  handler: async (args) => {
    if (args.lift === true) return lift(args);
    const request = { method: 'POST', segments: ['revocations'], body: revocationBody(args) } as const;
    const answer = await (args.admin ? callAdmin : callPrivate)<RevocationAnswer>(args, request);
    const { closed, untilMs } = answer;
    const until = untilMs === undefined ? 'until it is lifted' : `kept until ${new Date(untilMs).toISOString()}`;
    printResult(args.json, `revoked, ${until}; ${closed} connections of this node closed`, answer);
  },
};

async function lift(args: RevokeArguments): Promise<void> {
  const { app, device } = args;
  if (device === undefined) throw new UsageError('--lift goes with --device');
  const request = { method: 'DELETE', segments: ['apps', app, 'devices', device, 'revocation'] } as const;
  const answer = await (args.admin ? callAdmin : callPrivate)<{ lifted: boolean }>(args, request);
  printResult(args.json, answer.lifted ? 'lifted' : 'was not revoked', answer);
  if (!answer.lifted) process.exitCode = ExitCode.notDone;
}

/** @throws {UsageError} it does not say what */
export function revocationBody({ app, jti, device, identity, before, all }: Omit<RevokeArguments, keyof KeyArguments>) {
  if (jti === undefined && device === undefined && all !== true) {
    throw new UsageError('say what: --jti ID, --device ID, or --all for every device of the app');
  }
  if (identity === true && device === undefined) throw new UsageError('--identity goes with --device');
  if (identity === true && before !== undefined)
    throw new UsageError('--identity revokes whatever was issued: no --before');
  const beforeMs = before === undefined ? undefined : momentOf(before);
  if (jti !== undefined) return { app, jti };
  if (device === undefined) return { app, beforeMs: beforeMs ?? Date.now() };
  return {
    app,
    deviceId: device,
    ...(identity === true ? { identity: true } : {}),
    ...(beforeMs === undefined ? {} : { beforeMs }),
  };
}

function momentOf(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new UsageError(`--before: a time such as 2026-01-31T12:00:00Z, not ${JSON.stringify(text)}`);
  return ms;
}

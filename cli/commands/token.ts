/**
 * `trunkline token`: a device token, asked for at the private listener with the app's key. The way through the node
 * is taken rather than the key files: it works from another machine and under another user.
 */
import type { CommandModule } from 'yargs';
import { callBridge } from '../bridge-call.js';
import { UsageError } from '../errors.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';

interface TokenArguments extends KeyArguments {
  app: string;
  device: string;
  uid: string | undefined;
  business: string[] | undefined;
  group: string[] | undefined;
  ttl: number | undefined;
  json: boolean;
}

export const tokenCommand: CommandModule<{ json: boolean }, TokenArguments> = {
  command: 'token',
  describe: 'Issue a device token',
  builder: (argv) =>
    withKeyOptions(argv, "the app's")
      .option('app', { type: 'string', demandOption: true, requiresArg: true, describe: 'app of the device' })
      .option('device', { type: 'string', demandOption: true, requiresArg: true, describe: 'device id' })
      .option('uid', { type: 'string', requiresArg: true, describe: 'user id' })
      .option('business', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'grant only these businesses; default: all of the app',
      })
      .option('group', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'business:group that the device may join, "*" ends a prefix',
      })
      .option('ttl', { type: 'number', requiresArg: true, describe: 'life in seconds, at most what the app allows' })
      .example('$0 token --app shop --device till-7 --key-file shop.key', 'prints the token'),
  handler: async (args) => {
    const { app, device: deviceId, uid, business: businesses, ttl } = args;
    const answer = await callBridge(args, (bridge) =>
      bridge.issueToken({
        app,
        deviceId,
        groups: groupsByBusiness(args.group ?? []),
        ...(uid === undefined ? {} : { uid }),
        ...(businesses === undefined ? {} : { businesses }),
        ...(ttl === undefined ? {} : { ttlMs: ttlMs(ttl) }),
      }),
    );
    printResult(args.json, answer.token, answer);
  },
};

/** `['live:room-*']` -> `{ live: ['room-*'] }` @throws {UsageError} */
export function groupsByBusiness(pairs: readonly string[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const pair of pairs) {
    const colon = pair.indexOf(':');
    if (colon < 1 || colon === pair.length - 1) {
      throw new UsageError(`--group: write business:group, such as live:room-1, not ${JSON.stringify(pair)}`);
    }
    const business = pair.slice(0, colon);
    groups[business] = [...(groups[business] ?? []), pair.slice(colon + 1)];
  }
  return groups;
}

function ttlMs(seconds: number): number {
  if (!Number.isFinite(seconds) || seconds <= 0) throw new UsageError('--ttl: a number of seconds above 0');
  return Math.max(1, Math.round(seconds * 1000));
}

/** `trunkline devices`: who is online. */
import type { CommandModule } from 'yargs';
import type { DevicesAnswer } from '../../bridge/index.js';
import { callAdmin } from '../admin-call.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';
import { listPages, moreText, type PageArguments, withPageOptions } from '../paging.js';
import { duration, table } from '../table.js';

interface DevicesArguments extends KeyArguments, PageArguments {
  app: string | undefined;
  json: boolean;
}

type Device = DevicesAnswer['devices'][number];

export const devicesCommand: CommandModule<{ json: boolean }, DevicesArguments> = {
  command: 'devices',
  describe: 'List the devices that are online',
  builder: (argv) =>
    withPageOptions(withKeyOptions(argv, "the operator's")).option('app', {
      type: 'string',
      requiresArg: true,
      describe: 'only devices of this app',
    }),
  handler: async (args) => {
    const { entries: devices, next } = await listPages<Device>(args, async (page) => {
      const answer = await callAdmin<DevicesAnswer>(args, {
        method: 'GET',
        segments: ['devices'],
        query: { app: args.app, ...page },
      });
      return { entries: answer.devices, next: answer.next };
    });
    const head = ['APP', 'DEVICE', 'USER', 'BUSINESSES', 'CONNECTION', 'SINCE'];
    const text = devices.length === 0 ? 'no device is online' : table(head, devices.map(row)) + moreText(next);
    printResult(args.json, text, { devices, next });
  },
};

function row({ app, device, uid = '-', businesses, connectionId, sinceMs }: Device): string[] {
  const since = `${duration(Math.max(Date.now() - sinceMs, 0))} ago`;
  return [app, device, uid, businesses.join(',') || '-', connectionId, since];
}

/** `trunkline groups`: the groups of a business. */
import type { CommandModule } from 'yargs';
import type { GroupsAnswer } from '../../bridge/index.js';
import { callAdmin } from '../admin-call.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';
import { listPages, moreText, type PageArguments, withPageOptions } from '../paging.js';
import { table } from '../table.js';

interface GroupsArguments extends KeyArguments, PageArguments {
  business: string;
  json: boolean;
}

type Group = GroupsAnswer['groups'][number];

export const groupsCommand: CommandModule<{ json: boolean }, GroupsArguments> = {
  command: 'groups',
  describe: 'List the groups of a business',
  builder: (argv) =>
    withPageOptions(withKeyOptions(argv, "the operator's")).option('business', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'whose groups',
    }),
  handler: async (args) => {
    const { entries: groups, next } = await listPages<Group>(args, async (page) => {
      const answer = await callAdmin<GroupsAnswer>(args, {
        method: 'GET',
        segments: ['groups'],
        query: { business: args.business, ...page },
      });
      return { entries: answer.groups, next: answer.next };
    });
    const rows = groups.map(({ group, members, createdAtMs }) => {
      return [group, String(members), new Date(createdAtMs).toISOString()];
    });
    const text = groups.length === 0 ? 'no groups' : table(['GROUP', 'MEMBERS', 'CREATED'], rows) + moreText(next);
    printResult(args.json, text, { groups, next });
  },
};

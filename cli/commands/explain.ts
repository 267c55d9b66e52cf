/**
 * `trunkline explain`: which access points a device gets, and why. With an app's key about its devices; with `--admin`
 * about any, or about a client that says such and such of itself.
 */
import type { CommandModule } from 'yargs';
import type { Explanation } from '../../control/index.js';
import { callAdmin, callPrivate } from '../admin-call.js';
import { fromEnvironment, Variable } from '../environment.js';
import { UsageError } from '../errors.js';
import { ExitCode } from '../exit-codes.js';
import { type KeyArguments, withKeyOptions } from '../key-source.js';
import { printResult } from '../output.js';
import { duration, printable, table } from '../table.js';

interface ExplainArguments extends KeyArguments {
  app: string | undefined;
  device: string | undefined;
  attr: string[] | undefined;
  business: string[] | undefined;
  address: string | undefined;
  admin: boolean;
  json: boolean;
}

export const explainCommand: CommandModule<{ json: boolean }, ExplainArguments> = {
  command: 'explain',
  describe: 'Show which access points a device gets, and why',
  builder: (argv) => {
    const app = fromEnvironment(Variable.app);
    return withKeyOptions(argv, "the app's, or with --admin the operator's")
      .option('app', {
        type: 'string',
        requiresArg: true,
        describe: `app of the device; also ${Variable.app}`,
        ...(app === undefined ? {} : { default: app }),
      })
      .option('device', { type: 'string', requiresArg: true, describe: 'device id' })
      .option('attr', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'what it says of itself, such as region=eu; repeatable',
      })
      .option('business', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'business that it is granted; repeatable; all that serve the app when absent',
      })
      .option('address', { type: 'string', requiresArg: true, describe: 'IP address from where it calls' })
      .option('admin', { type: 'boolean', default: false, describe: 'as an operator; then also without a device' })
      .example('$0 explain --app shop --device till-7 --attr region=eu', 'for a client of that region')
      .epilogue(`Exit code ${ExitCode.notDone}: it would get no access point now.`) as never;
  },
  handler: async (args) => {
    const explanation = await ask(args);
    printResult(args.json, explanationText(explanation), explanation);
    if (explanation.answer === undefined) process.exitCode = ExitCode.notDone;
  },
};

function ask(args: ExplainArguments): Promise<Explanation> {
  const { app, device, admin } = args;
  const query = {
    ...attributesOf(args.attr ?? []),
    ...(args.business === undefined ? {} : { businesses: args.business.join(',') }),
    ...(args.address === undefined ? {} : { address: args.address }),
  };
  if (device === undefined) {
    if (!admin) throw new UsageError('say which device: --app APP --device ID, or --admin for none in particular');
    return callAdmin(args, { method: 'GET', segments: ['explain'], query });
  }
  if (app === undefined) throw new UsageError(`--device goes with --app, or set ${Variable.app}`);
  if (admin) return callAdmin(args, { method: 'GET', segments: ['explain'], query: { ...query, app, device } });
  return callPrivate(args, { method: 'GET', segments: ['apps', app, 'devices', device, 'explain'], query });
}

/** `['region=eu']` -> `{ region: 'eu' }` @throws {UsageError} */
export function attributesOf(pairs: readonly string[]): Record<string, string> {
  const attributes = pairs.map((pair): [string, string] => {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new UsageError(`--attr: write name=value, such as region=eu, not ${JSON.stringify(pair)}`);
    return [pair.slice(0, equals), pair.slice(equals + 1)];
  });
  return Object.fromEntries(attributes);
}

export function explanationText(explanation: Explanation): string {
  const { device, regions, nodes, rounds, answer, refused } = explanation;
  const steps = regions.steps.map((step) => step.join(' or ')).join(', then ');
  const asked = regions.asked === undefined ? 'none asked for' : `${regions.asked} asked for`;
  const chosen = regions.chosen.length === 0 ? 'no node takes clients there' : `taken: ${regions.chosen.join(' or ')}`;
  const places = new Map(rounds.map(({ taken }, i) => [taken.incarnation, i + 1]));
  const rows = nodes.map(({ node, incarnation, region, pool, load, connections, connectionLimit, leftOut }) => {
    const place = places.get(incarnation);
    const verdict = leftOut === undefined ? (place === undefined ? 'not drawn' : `taken, ${place}.`) : WORDS[leftOut];
    return [node, incarnation, region, pool, load.toFixed(2), `${connections} of ${connectionLimit}`, verdict];
  });
  return [
    ...(device === undefined ? [] : [`device      ${printable(deviceText(device))}`]),
    `region      ${printable(asked)}${regions.asked === undefined || regions.known ? '' : ', which nobody knows'}${HOMES[regions.by](regions.home)}; ${steps}; ${chosen}`,
    `pool        ${poolText(explanation.pools)}`,
    '',
    ...policyLines(explanation),
    nodes.length === 0
      ? 'no node is known'
      : table(['NODE', 'INCARNATION', 'REGION', 'POOL', 'LOAD', 'CONNECTIONS', ''], rows),
    '',
    ...rounds.map(({ compared, taken, by }, i) => {
      return `${i + 1}. of ${compared.map(({ node }) => node).join(' and ')}: ${taken.node}, ${DECISIONS[by]}`;
    }),
    ...(answer === undefined
      ? [`refused     ${refused?.code}: ${refused?.detail}`]
      : answer.protocols.map((protocol) => `${protocol.padEnd(12)}${answer.accessPoints[protocol]?.join(', ')}`)),
  ].join('\n');
}

const HOMES: Readonly<Record<Explanation['regions']['by'], (home: string) => string>> = {
  hint: () => '',
  address: (home) => `; its address is of ${home}`,
  node: (home) => `; the node that is asked is in ${home}`,
};

function poolText({ steps, chosen, empty }: Explanation['pools']): string {
  const taken = chosen === undefined ? 'no node takes clients there' : `taken: ${chosen}`;
  const passed = chosen === undefined || empty.length === 0 ? '' : `; no node of ${empty.join(' or ')} takes clients`;
  return `${steps.join(', then ')}; ${taken}${passed}`;
}

function policyLines({ policies, settings }: Explanation): string[] {
  if (policies.length === 0) return [];
  const verdicts = policies.map(({ policy, failed }) => {
    const words = failed && `not matched: ${failed.condition} wants ${failed.wanted}, met ${failed.met}`;
    return [policy, printable(words ?? 'matched')];
  });
  const given = settings.map(({ setting, value, policy }) => [printable(setting), JSON.stringify(value), policy]);
  return [
    table(['POLICY', ''], verdicts),
    '',
    ...(given.length === 0 ? [] : [table(['SETTING', 'VALUE', 'POLICY'], given), '']),
  ];
}

const WORDS: Readonly<Record<NonNullable<Explanation['nodes'][number]['leftOut']>, string>> = {
  'no-access': 'left out: holds no connections',
  'lease-lapsed': 'left out: its lease has lapsed',
  draining: 'left out: it drains',
  'not-ready': 'left out: an access worker is down',
  overloaded: 'left out: overloaded',
  full: 'left out: full',
  'no-protocol': 'left out: none of the protocols',
  'other-pool': 'left out: another pool',
  'other-region': 'left out: another region',
};

const DECISIONS: Readonly<Record<Explanation['rounds'][number]['by'], string>> = {
  load: 'less loaded',
  connections: 'fewer connections for its limit',
  draw: 'drawn first, both alike',
  only: 'the only one left',
};

function deviceText(device: NonNullable<Explanation['device']>): string {
  const { app, device: id, state, node, region, incarnation, connectionId, sinceMs = 0 } = device;
  if (state === 'unknown') return `${id} of ${app}: where it is cannot be told, the engine is away`;
  if (state === 'offline') return `${id} of ${app}: offline`;
  const where = node === undefined ? `node ${incarnation}, which has gone` : `${node} (${region})`;
  return `${id} of ${app}: online at ${where}, ${connectionId}, for ${duration(Math.max(Date.now() - sinceMs, 0))}`;
}

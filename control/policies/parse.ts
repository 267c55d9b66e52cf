/** From the text of a policies file to policies that can be tried; every problem is told with its line, as for the configuration. */
import semver from 'semver';
import { type CrossCheck, checkYaml, type NodeConfig } from '../../config/index.js';
import { compile, type PolicySet } from './policy-set.js';
import { type PoliciesFile, policiesSchema } from './schema.js';

/** What the policies may name; without it those names are not checked. */
export type KnownNames = Pick<NodeConfig, 'apps' | 'businesses'>;

/** What a decision without any policy is counted as. */
export const NO_POLICY = 'none';

type Report = Parameters<CrossCheck<PoliciesFile>>[1];

/**
 * @param source name of the file in errors
 * @throws {ConfigError} with every problem found
 */
export function parsePolicies(text: string, source: string, known?: KnownNames): PolicySet {
  return compile(
    checkYaml(text, source, policiesSchema, (file, report) => {
      checkNames(file, report);
      checkPools(file, report);
      file.policies.forEach((policy, index) => {
        checkMatch(policy.match, file, known, (path, message) =>
          report(['policies', index, 'match', ...path], message),
        );
        checkSettings(policy.set, (path, message) => report(['policies', index, 'set', ...path], message));
      });
    }),
  );
}

function checkNames({ policies }: PoliciesFile, report: Report): void {
  const seen = new Set<string>();
  policies.forEach(({ name }, index) => {
    if (seen.has(name)) report(['policies', index, 'name'], `names "${name}" a second time`);
    if (name === NO_POLICY) report(['policies', index, 'name'], `must not be "${NO_POLICY}"`);
    seen.add(name);
  });
}

function checkPools({ pools }: PoliciesFile, report: Report): void {
  const owners = new Map<string, string>();
  for (const [pool, { nodes }] of Object.entries(pools)) {
    nodes.forEach((node, index) => {
      const owner = owners.get(node);
      if (owner !== undefined) report(['pools', pool, 'nodes', index], `node "${node}" stands in "${owner}" already`);
      owners.set(node, pool);
    });
  }
}

function checkMatch(
  match: PoliciesFile['policies'][number]['match'],
  { rollouts }: PoliciesFile,
  known: KnownNames | undefined,
  report: Report,
): void {
  const { appVersion, from, until, rollout } = match;
  if (appVersion !== undefined && semver.validRange(appVersion) === null) {
    report(['appVersion'], 'must be a range of versions, such as ">=5.2.0 <6"');
  }
  if (from !== undefined && until !== undefined && Date.parse(from) >= Date.parse(until)) {
    report(['until'], 'must be later than from');
  }
  if (rollout !== undefined && !Object.hasOwn(rollouts, rollout)) {
    report(['rollout'], `must be one of rollouts, which has no "${rollout}"`);
  }
  if (known === undefined) return;
  checkKnown(match.app, 'app', known.apps, report);
  checkKnown(match.business, 'business', known.businesses, report);
}

/** A name that is misspelt would match nobody, silently. */
function checkKnown(
  wanted: string | readonly string[] | undefined,
  field: 'app' | 'business',
  known: object,
  report: Report,
): void {
  if (wanted === undefined) return;
  for (const name of typeof wanted === 'string' ? [wanted] : wanted) {
    if (!Object.hasOwn(known, name)) report([field], `the configuration has no ${field} "${name}"`);
  }
}

function checkSettings({ heartbeat, pools, protocols }: PoliciesFile['policies'][number]['set'], report: Report): void {
  if (heartbeat !== undefined) {
    const { intervalMs = heartbeat.minMs, minMs, maxMs } = heartbeat;
    if (minMs > maxMs) report(['heartbeat', 'minMs'], `must be at most maxMs (${maxMs})`);
    else if (intervalMs < minMs || intervalMs > maxMs)
      report(['heartbeat', 'intervalMs'], 'must be from minMs to maxMs');
  }
  for (const [field, list] of Object.entries({ pools, protocols })) {
    if (list !== undefined && new Set(list).size !== list.length) report([field], 'names one twice');
  }
}

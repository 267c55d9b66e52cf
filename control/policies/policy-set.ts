/**
 * The policies of one file, ready to be tried. All are tried in their order, and each that matches gives the settings that
 * no earlier one gave: first match wins, for each setting by itself. A decision keeps which condition failed, so that its
 * explanation is made of it and cannot differ.
 *
 * @see docs/decisions/0085-policies-win-by-setting.md
 */
import { type Condition, conditionsOf } from './conditions.js';
import type { PoliciesFile, PolicySettings } from './schema.js';
import type { Subject } from './subject.js';

export interface PolicyVerdict {
  readonly policy: string;
  /** The first condition that did not hold; absent when the policy matches. */
  readonly failed?: Condition | undefined;
}

export interface Decision {
  readonly subject: Subject;
  /** In the order in which they were tried. */
  readonly tried: readonly PolicyVerdict[];
  readonly settings: PolicySettings;
  /** By setting, such as `pools` or `features.newCore`: the policy that gave it. */
  readonly givenBy: ReadonlyMap<string, string>;
}

interface CompiledPolicy {
  readonly name: string;
  readonly conditions: readonly Condition[];
  readonly set: PolicySettings;
  readonly matched: PolicyVerdict;
}

export interface PolicySet {
  readonly names: readonly string[];
  /** Shares as the file has them, by rollout. */
  readonly rollouts: ReadonlyMap<string, number>;
  /** Pools by node name. */
  readonly pools: ReadonlyMap<string, string>;
  /** By rollout: the policies that go by it. */
  readonly followers: ReadonlyMap<string, readonly string[]>;
  decide(subject: Subject): Decision;
}

/** Of these each entry is a setting by itself. */
const MAPS = ['features', 'limits'] as const;
const WHOLES = ['pools', 'protocols', 'heartbeat', 'racing', 'report'] as const;

export function compile({ rollouts, pools, policies }: PoliciesFile): PolicySet {
  const compiled = policies.map(({ name, match, set }): CompiledPolicy => {
    return { name, conditions: conditionsOf(match, name), set, matched: { policy: name } };
  });
  return {
    names: policies.map(({ name }) => name),
    rollouts: new Map(Object.entries(rollouts).map(([name, { share }]) => [name, share])),
    pools: new Map(Object.entries(pools).flatMap(([pool, { nodes }]) => nodes.map((node) => [node, pool] as const))),
    followers: new Map(
      Object.keys(rollouts).map((rollout) => [
        rollout,
        policies.filter(({ match }) => match.rollout === rollout).map(({ name }) => name),
      ]),
    ),
    decide: (subject) => decide(compiled, subject),
  };
}

export const NO_POLICIES: PolicySet = compile({ rollouts: {}, pools: {}, policies: [] });

export function matchedOf({ tried }: Decision): string[] {
  return tried.filter(({ failed }) => failed === undefined).map(({ policy }) => policy);
}

function decide(policies: readonly CompiledPolicy[], subject: Subject): Decision {
  const settings: Record<string, unknown> = {};
  const givenBy = new Map<string, string>();
  const tried = policies.map((policy): PolicyVerdict => {
    const failed = policy.conditions.find((condition) => !condition.holds(subject));
    if (failed !== undefined) return { policy: policy.name, failed };
    give(policy, settings, givenBy);
    return policy.matched;
  });
  return { subject, tried, settings: settings as PolicySettings, givenBy };
}

function give({ name, set }: CompiledPolicy, settings: Record<string, unknown>, givenBy: Map<string, string>): void {
  for (const field of WHOLES) {
    if (set[field] === undefined || givenBy.has(field)) continue;
    settings[field] = set[field];
    givenBy.set(field, name);
  }
  for (const field of MAPS) {
    for (const [key, value] of Object.entries(set[field] ?? {})) {
      const path = `${field}.${key}`;
      if (givenBy.has(path)) continue;
      // Without a prototype, since a feature may be called as one of its members.
      settings[field] ??= Object.create(null) as object;
      (settings[field] as Record<string, unknown>)[key] = value;
      givenBy.set(path, name);
    }
  }
}

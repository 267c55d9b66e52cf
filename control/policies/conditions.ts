/**
 * The conditions of a policy, each made once when its file is read: a bootstrap only runs them. The cheap ones come first,
 * and the first that does not hold is what an explanation tells.
 */
import semver from 'semver';
import type { PolicyMatch } from './schema.js';
import { positionOf } from './share.js';
import { networkOf, platformOf, type Subject, versionOf, versionTextOf } from './subject.js';

export interface Condition {
  /** As it stands in `match`. */
  readonly field: keyof PolicyMatch;
  holds(subject: Subject): boolean;
  /** For people: what it wants, and what it met. */
  wanted(subject: Subject): string;
  met(subject: Subject): string;
}

const NOTHING = 'nothing';

/** @param policy name of the policy, which its own `share` is salted with */
export function conditionsOf(match: PolicyMatch, policy: string): Condition[] {
  const { app, business, platform, appVersion, region, network, from, until, share, rollout } = match;
  return [
    app === undefined ? undefined : isOneOf('app', app, (subject) => subject.app),
    platform === undefined ? undefined : isOneOf('platform', platform, platformOf),
    network === undefined ? undefined : isOneOf('network', network, networkOf),
    region === undefined ? undefined : isOneOf('region', region, (subject) => subject.region),
    business === undefined ? undefined : isGranted(business),
    from === undefined ? undefined : isInTime('from', from, (nowMs, atMs) => nowMs >= atMs),
    until === undefined ? undefined : isInTime('until', until, (nowMs, atMs) => nowMs < atMs),
    appVersion === undefined ? undefined : isInRange(appVersion),
    share === undefined ? undefined : isBelow('share', policy, () => share),
    rollout === undefined ? undefined : isBelow('rollout', rollout, ({ shareOf }) => shareOf(rollout)),
  ].filter((condition) => condition !== undefined);
}

function isOneOf(
  field: Condition['field'],
  wanted: string | readonly string[],
  read: (subject: Subject) => string | undefined,
): Condition {
  const names = new Set(typeof wanted === 'string' ? [wanted] : wanted);
  const told = [...names].join(' or ');
  return {
    field,
    holds: (subject) => {
      const met = read(subject);
      return met !== undefined && names.has(met);
    },
    wanted: () => told,
    met: (subject) => read(subject) ?? NOTHING,
  };
}

function isGranted(wanted: string | readonly string[]): Condition {
  const names = new Set(typeof wanted === 'string' ? [wanted] : wanted);
  const told = [...names].join(' or ');
  return {
    field: 'business',
    holds: ({ businesses }) => businesses.some((each) => names.has(each)),
    wanted: () => told,
    met: ({ businesses }) => (businesses.length === 0 ? NOTHING : businesses.join(', ')),
  };
}

/** A beta of 6 lies in `>=5`: who tests it is not to lose what its users get. */
function isInRange(wanted: string): Condition {
  const range = new semver.Range(wanted, { includePrerelease: true });
  return {
    field: 'appVersion',
    holds: (subject) => {
      const version = versionOf(subject);
      return version !== undefined && range.test(version);
    },
    wanted: () => wanted,
    met: (subject) => versionTextOf(subject) ?? NOTHING,
  };
}

function isInTime(
  field: Condition['field'],
  instant: string,
  isRight: (nowMs: number, atMs: number) => boolean,
): Condition {
  const atMs = Date.parse(instant);
  return {
    field,
    holds: ({ nowMs }) => isRight(nowMs, atMs),
    wanted: () => new Date(atMs).toISOString(),
    met: ({ nowMs }) => new Date(nowMs).toISOString(),
  };
}

function isBelow(field: Condition['field'], salt: string, shareOf: (subject: Subject) => number): Condition {
  const positionIn = ({ app, deviceId }: Subject): number | undefined =>
    app === undefined || deviceId === undefined ? undefined : positionOf(salt, app, deviceId);
  return {
    field,
    holds: (subject) => {
      const share = shareOf(subject);
      if (share <= 0) return false;
      const position = positionIn(subject);
      return position !== undefined && position < share;
    },
    wanted: (subject) => `below ${shareOf(subject)} % of ${salt}`,
    met: (subject) => {
      const position = positionIn(subject);
      return position === undefined ? 'no device' : `at ${position.toFixed(3)} %`;
    },
  };
}

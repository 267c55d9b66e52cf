/** Whom policies are tried on: what is proven of a device, what it says of itself, and the moment. */
import semver from 'semver';

/** What a client calls the version of its app, and its network. */
const VERSION_ATTRIBUTE = 'app-version';
const NETWORK_ATTRIBUTE = 'network';
const PLATFORM_ATTRIBUTE = 'platform';

export interface Subject {
  /** Undefined when no app in particular is asked about. */
  readonly app: string | undefined;
  /** The id that the device has, or will have; undefined when no device in particular is asked about. */
  readonly deviceId: string | undefined;
  /** Names of what it is granted. */
  readonly businesses: readonly string[];
  /** What it says of itself. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Where it is taken to be. */
  readonly region: string;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** Per cent that a rollout has come to. */
  readonly shareOf: (rollout: string) => number;
}

export const platformOf = ({ attributes }: Subject): string | undefined => own(attributes, PLATFORM_ATTRIBUTE);
export const networkOf = ({ attributes }: Subject): string | undefined => own(attributes, NETWORK_ATTRIBUTE);
export const versionTextOf = ({ attributes }: Subject): string | undefined => own(attributes, VERSION_ATTRIBUTE);

/** All policies are tried on one subject before the next: the last version is the one that is asked for again. */
let last: { readonly text: string; readonly version: semver.SemVer | undefined } = { text: '', version: undefined };

/** `5.2` is 5.2.0, as people number apps; undefined for what holds no number. */
export function versionOf(subject: Subject): semver.SemVer | undefined {
  const text = versionTextOf(subject);
  if (text === undefined) return undefined;
  if (text !== last.text) last = { text, version: semver.parse(text) ?? semver.coerce(text) ?? undefined };
  return last.version;
}

/** Strangers choose the names. */
function own(attributes: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}

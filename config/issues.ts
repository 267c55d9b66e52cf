/**
 * zod's issues in the words of this project. An unknown setting is answered with the settings that exist there,
 * which the schema itself knows.
 */
import type { z } from 'zod';
import type { ConfigProblem } from './errors.js';
import { formatPath, type SettingPath } from './paths.js';
import { settingsAt } from './schema-path.js';
import type { SettingSources } from './sources.js';

type Issue = z.core.$ZodIssue;

/** @returns one problem per issue, and one per unknown setting */
export function problemsOf(
  issues: readonly Issue[],
  sources: SettingSources,
  schema: z.core.$ZodType,
): ConfigProblem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, sources, schema));
}

function problemsOfIssue(issue: Issue, sources: SettingSources, schema: z.core.$ZodType): ConfigProblem[] {
  const at = (path: SettingPath, message: string): ConfigProblem => ({
    path: formatPath(path),
    ...sources.of(path),
    message,
  });
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = settingsAt(schema, issue.path);
      const expected = known.length === 0 ? '' : `; here can stand: ${known.join(', ')}`;
      return issue.keys.map((key) => at([...issue.path, key], `there is no such setting${expected}`));
    }
    case 'invalid_key':
      return issue.issues.map((inner) => at(issue.path, `the name must be ${nameRule(inner)}`));
    case 'invalid_format':
      return [at(issue.path, issue.format === 'url' ? 'must be an http or https URL' : `must be ${issue.message}`)];
    case 'invalid_type':
      return [at(issue.path, missing(issue) ? 'is missing' : `must be ${withArticle(issue.expected)}`)];
    case 'invalid_value':
      return [at(issue.path, `must be one of: ${issue.values.join(', ')}`)];
    case 'too_small':
      return [at(issue.path, atBound(issue.origin, `at least ${issue.minimum}`))];
    case 'too_big':
      return [at(issue.path, atBound(issue.origin, `at most ${issue.maximum}`))];
    case 'invalid_union':
      return [at(issue.path, `must be ${issue.message}`)];
    default:
      return [at(issue.path, issue.message)];
  }
}

/** Of a map whose names are given, or of one whose names have a form. */
function nameRule(issue: Issue): string {
  return issue.code === 'invalid_value' ? `one of: ${issue.values.join(', ')}` : issue.message;
}

function atBound(origin: string, bound: string): string {
  if (origin === 'string') return `must have ${bound} characters`;
  return origin === 'array' ? `must be a list of ${bound}` : `must be ${bound}`;
}

/** The issue does not tell a missing setting from a wrong one, only its wording does. */
function missing(issue: z.core.$ZodIssueInvalidType): boolean {
  return issue.message.endsWith('received undefined');
}

const NAMES_OF_TYPES: Readonly<Record<string, string>> = {
  object: 'a map of settings',
  record: 'a map of settings',
  array: 'a list',
  string: 'a text (put it in quotes)',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function withArticle(expected: string): string {
  return NAMES_OF_TYPES[expected] ?? `a value of type ${expected}`;
}

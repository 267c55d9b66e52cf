/**
 * zod's issues in the words of this project. An unknown setting is answered with the settings that exist there,
 * which the schema itself knows.
 */
import { z } from 'zod';
import type { ConfigProblem } from './errors.js';
import { formatPath, type LineFinder, type SettingPath } from './paths.js';
import { configSchema } from './schema.js';

type Issue = z.core.$ZodIssue;

/** @returns one problem per issue, and one per unknown setting */
export function problemsOf(issues: readonly Issue[], lines: LineFinder): ConfigProblem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, lines));
}

function problemsOfIssue(issue: Issue, lines: LineFinder): ConfigProblem[] {
  const at = (path: SettingPath, message: string): ConfigProblem => ({
    path: formatPath(path),
    line: lines.lineOf(path),
    message,
  });
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = settingsAt(configSchema, issue.path);
      const expected = known.length === 0 ? '' : `; here can stand: ${known.join(', ')}`;
      return issue.keys.map((key) => at([...issue.path, key], `there is no such setting${expected}`));
    }
    case 'invalid_key':
      return issue.issues.map((inner) => at(issue.path, `the name must be ${inner.message}`));
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

/** The names of the settings below `path`, empty where anything may stand. */
function settingsAt(schema: z.core.$ZodType, path: SettingPath): string[] {
  const plain = unwrap(schema);
  const [head, ...rest] = path;
  if (plain instanceof z.ZodObject) {
    if (head === undefined) return Object.keys(plain.shape);
    const next = plain.shape[String(head)];
    return next === undefined ? [] : settingsAt(next, rest);
  }
  if (head === undefined) return [];
  if (plain instanceof z.ZodRecord) return settingsAt(plain.valueType, rest);
  if (plain instanceof z.ZodArray) return settingsAt(plain.element, rest);
  return [];
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  ) {
    return unwrap(schema.unwrap());
  }
  return schema;
}

export { UnknownRolloutError } from './errors.js';
export { parsePolicies } from './parse.js';
export { Policies, type PoliciesStatus, type RolloutStatus } from './policies.js';
export { readPolicyFile } from './policy-file.js';
export { type Decision, matchedOf } from './policy-set.js';
export type { PolicySettings } from './schema.js';
export type { Subject } from './subject.js';

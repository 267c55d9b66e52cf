/**
 * Policies and rollouts for operators: which are in force, how far each rollout has come, and setting it. Hidden as the rest
 * of the admin API while there is no admin key.
 *
 * @see docs/control.md, "Rollouts"
 */
import { ControlStateFullError, type ServiceContext } from '../cluster/index.js';
import { type HttpApp, type HttpPlugin, ProblemError, problemResponses } from '../http/index.js';
import { requireAdminKey } from './admin-scope.js';
import { type Policies, UnknownRolloutError } from './policies/index.js';
import { policiesAnswer, rolloutAnswer, rolloutParams, rolloutsAnswer, shareBody } from './policy-schemas.js';

const MAX_BODY_BYTES = 1024;

const shared = { tags: ['admin'], security: [{ adminKey: [] }] };
const refused = problemResponses({
  401: 'No key, or one that is not an admin key',
  404: 'This node has no admin key and so no admin API',
});
const refusedChange = problemResponses({
  400: 'The body is not in its form',
  401: 'No key, or one that is not an admin key',
  404: 'The policies have no such rollout, or this node has no admin API',
  409: 'As many rollouts as a service keeps',
  503: 'Where rollouts are kept did not answer',
});

export function createPolicyRoutes(context: ServiceContext, policies: Policies): HttpPlugin {
  return async (scope: HttpApp) => {
    requireAdminKey(scope, context);

    scope.get(
      '/v1/admin/policies',
      {
        schema: {
          ...shared,
          operationId: 'getPolicies',
          summary: 'Policies in force, and what is wrong with their file',
          response: { 200: policiesAnswer.describe('At this node'), ...refused },
        },
      },
      async () => {
        const { refused: file, ...status } = policies.status();
        const problems = file?.problems.map(({ path, line, message }) => ({
          path,
          message,
          ...(line === undefined ? {} : { line }),
        }));
        return {
          ...status,
          ...(file === undefined || problems === undefined ? {} : { refused: { ...file, problems } }),
        };
      },
    );

    scope.get(
      '/v1/admin/rollouts',
      {
        schema: {
          ...shared,
          operationId: 'listRollouts',
          summary: 'Rollouts, and how far each has come',
          response: { 200: rolloutsAnswer.describe('Of the whole service'), ...refused },
        },
      },
      async () => ({ rollouts: policies.rollouts() }),
    );

    scope.put(
      '/v1/admin/rollouts/:rollout',
      {
        bodyLimit: MAX_BODY_BYTES,
        schema: {
          ...shared,
          operationId: 'setRollout',
          summary: 'Let a rollout reach this share of the devices',
          description: 'In force at this node when the answer is there, and at all others within a second.',
          params: rolloutParams,
          body: shareBody,
          response: { 200: rolloutAnswer.describe('In force'), ...refusedChange },
        },
      },
      async (request) => asProblem(policies.setRollout(request.params.rollout, request.body.share)),
    );

    scope.post(
      '/v1/admin/rollouts/:rollout/back',
      {
        schema: {
          ...shared,
          operationId: 'takeRolloutBack',
          summary: 'Take a rollout back from every device',
          description: 'Takes no body. Sets its share to 0.',
          params: rolloutParams,
          response: { 200: rolloutAnswer.describe('In force'), ...refusedChange },
        },
      },
      async (request) => asProblem(policies.setRollout(request.params.rollout, 0)),
    );
  };
}

async function asProblem<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof UnknownRolloutError) throw new ProblemError(404, error.code, error.message);
    if (error instanceof ControlStateFullError) throw new ProblemError(409, error.code, error.message);
    throw error;
  }
}

export { requireKey } from './bearer-auth.js';
export type { StatusByCode } from './error-mapping.js';
export { createKeyring, type Keyring, liveKeyring, SharedKeyError } from './keyring.js';
export { describeWithOpenApi, type OpenApiOptions } from './openapi.js';
export {
  type FieldError,
  fieldErrorSchema,
  PROBLEM_MEDIA_TYPE,
  type ProblemDetails,
  ProblemError,
  type ProblemExtras,
  problemResponses,
  problemSchema,
} from './problem.js';
export {
  createHttpServer,
  type HttpApp,
  HttpListenError,
  type HttpPlugin,
  type HttpServerOptions,
  startHttpServer,
  stopHttpServer,
} from './server.js';
export { discardBody } from './unread-body.js';
export { InvalidRequestError, type ZodTypeProvider } from './validation.js';

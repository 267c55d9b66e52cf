export { default as ControlActor } from './control-actor.js';
export { createControlService } from './control-service.js';
export { createAdminExplainRoutes, createExplainRoutes } from './explain-routes.js';
export type { Explanation } from './explain-schemas.js';
export { longestTokenLifeMs } from './longest-life.js';
export type { ControlOptions } from './options.js';
export { createRevocationRoutes, type RevocationRoutesOptions } from './revocation-routes.js';
export type { BootstrapAnswer, BootstrapRequest } from './schemas.js';
export { createTokenRoutes, type TokenRoutesOptions } from './token-routes.js';

/**
 * Who may do what: ready policies, and resolvers that need no package. Tokens of an issuer are read by `taskbridge/adapters/jwt`.
 *
 * @packageDocumentation
 */
export { actionSchemas, type ActionParts, type ActionSchema } from './action-schemas.ts';
export { anyOf } from './any-of.ts';
export { bearerTokenOf } from './bearer-token.ts';
export { denyAll, ownerOnly, requireScopes, type RequiredScopes } from './ownership.ts';
export { SERVICE_PREFIX, serviceTokens, type ServiceToken, type ServiceTokensOptions } from './service-tokens.ts';
export type { TaskAccess } from '../ports/auth.ts';

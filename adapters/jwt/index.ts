/**
 * Who is asking, by signed tokens: JWTs of any issuer that publishes its keys, and Firebase's ID tokens. Needs the package `jose`. Combine
 * resolvers by `anyOf` of `taskbridge/server/access`.
 *
 * @packageDocumentation
 */
export { idTokenAuth, type IdTokenAuthOptions } from './id-token-auth.ts';
export { jwtAuth } from './jwt-auth.ts';
export { jwtDefaults, type JwkSet, type JwtAuthOptions, type JwtClaims, type TokenOptions } from './options.ts';

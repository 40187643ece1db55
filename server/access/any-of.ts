import type { AuthContextResolver } from '../ports/auth.ts';

/**
 * Asks one resolver after the other and takes what the first says that knows the credentials: one that gives undefined does not know them,
 * one that throws does and refuses, and the others are not asked. Throws a `TypeError` where there is none to ask.
 */
export function anyOf(...resolvers: readonly AuthContextResolver[]): AuthContextResolver {
  if (resolvers.length === 0) throw new TypeError('anyOf() needs at least one resolver, or everybody is refused.');
  return async (request, about) => {
    for (const resolver of resolvers) {
      const context = await resolver(request, about);
      if (context) return context;
    }
    return undefined;
  };
}

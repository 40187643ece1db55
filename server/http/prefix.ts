const PREFIX = /^(\/:?[\w.~-]+)*$/;

/**
 * Checks the prefix of the routes and takes a slash off its end. `''` or `/` is the root; `/:tenant` takes any one segment. Throws a
 * `RangeError` for anything else.
 */
export function routePrefix(given: string): string {
  const prefix = given.replace(/\/$/, '');
  if (!PREFIX.test(prefix))
    throw new RangeError(`prefix (${JSON.stringify(given)}) must be a path like "/api/v1"; segments may be ":names".`);
  return prefix;
}

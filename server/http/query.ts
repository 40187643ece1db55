import { validationError } from './validation.ts';

/** All fields of a query string, for a route that refuses those that it does not know. Throws for one that is given twice. */
export function allQueryFields(queryString: string): Record<string, string> {
  const names = [...new URLSearchParams(queryString).keys()];
  return queryFields(queryString, [...new Set(names)]);
}

/** The named fields of a query string; others are left out. A field that is given twice throws `REQUEST_VALIDATION_ERROR`. */
export function queryFields(queryString: string, names: readonly string[]): Record<string, string> {
  const given = new Map<string, string>();
  const twice = new Set<string>();
  for (const [name, value] of new URLSearchParams(queryString)) {
    if (given.has(name)) twice.add(name);
    given.set(name, value);
  }
  const faults = names.filter((name) => twice.has(name)).map((path) => ({ path, reason: 'is given more than once' }));
  if (faults.length > 0) throw validationError(faults);
  // As own fields, whatever they are called.
  return Object.fromEntries(names.flatMap((name) => (given.has(name) ? [[name, given.get(name) ?? '']] : [])));
}

import { validationError } from './validation.ts';

/** What stands for itself in a query: neither `%` nor `+`, and no character that has to be encoded. */
const PLAIN = /^[\w.~!*'()\-=&,:;/@]*$/;

/** All fields of a query string, for a route that refuses those that it does not know. Throws for one that is given twice. */
export function allQueryFields(queryString: string): Record<string, string> {
  const names = [...new URLSearchParams(queryString).keys()];
  return queryFields(queryString, [...new Set(names)]);
}

/** What a query says that has nothing to be decoded: as `URLSearchParams` reads it, which takes four times as long. */
function plainPairs(queryString: string): (readonly [name: string, value: string])[] {
  if (queryString === '') return [];
  return queryString.split('&').flatMap((pair) => {
    if (pair === '') return [];
    const at = pair.indexOf('=');
    return [at === -1 ? ([pair, ''] as const) : ([pair.slice(0, at), pair.slice(at + 1)] as const)];
  });
}

/** The named fields of a query string; others are left out. A field that is given twice throws `REQUEST_VALIDATION_ERROR`. */
export function queryFields(queryString: string, names: readonly string[]): Record<string, string> {
  const given = new Map<string, string>();
  const twice = new Set<string>();
  for (const [name, value] of PLAIN.test(queryString) ? plainPairs(queryString) : new URLSearchParams(queryString)) {
    if (given.has(name)) twice.add(name);
    given.set(name, value);
  }
  const faults = names.filter((name) => twice.has(name)).map((path) => ({ path, reason: 'is given more than once' }));
  if (faults.length > 0) throw validationError(faults);
  // As own fields, whatever they are called.
  return Object.fromEntries(names.flatMap((name) => (given.has(name) ? [[name, given.get(name) ?? '']] : [])));
}

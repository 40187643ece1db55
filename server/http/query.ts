import { validationError } from './validation.ts';

/** The named fields of a query string; others are left out. A field that is given twice throws `REQUEST_VALIDATION_ERROR`. */
export function queryFields(queryString: string, names: readonly string[]): Record<string, string> {
  const query = new URLSearchParams(queryString);
  const twice = names.filter((name) => query.getAll(name).length > 1);
  if (twice.length > 0) throw validationError(twice.map((path) => ({ path, reason: 'is given more than once' })));
  return Object.fromEntries(names.flatMap((name) => query.getAll(name).map((value) => [name, value])));
}

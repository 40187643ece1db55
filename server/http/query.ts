import { validationError } from './validation.ts';

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
  const fields: Record<string, string> = {};
  for (const name of names) {
    const value = given.get(name);
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}

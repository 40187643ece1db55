import * as z from 'zod/mini';
import type { JsonObject } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import { schemaFaults } from '../schema-faults.ts';

/** Longest path and most entries that `details` gives back: the caller chose both. */
const PATH_CHARACTERS_MAX = 256;
const ERRORS_MAX = 64;

/**
 * Checks a body, a query or a frame against its schema, or throws `REQUEST_VALIDATION_ERROR` whose `details.errors` has `{ path, reason }` for
 * each bad field (`input.rows`), one for each unknown field too; the path is empty where the whole is wrong. Beyond 64 entries,
 * `details.omitted` counts the rest.
 */
export function validate<T extends z.core.$ZodType>(schema: T, value: unknown): z.core.output<T> {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  throw validationError(schemaFaults(parsed.error.issues, value));
}

/** The 422 for faults that were found already. */
export function validationError(errors: readonly { readonly path: string; readonly reason: string }[]): TaskBridgeError {
  const listed = errors.slice(0, ERRORS_MAX).map(({ path, reason }) => ({ path: path.slice(0, PATH_CHARACTERS_MAX), reason }));
  const omitted = errors.length - listed.length;
  const details: JsonObject = omitted > 0 ? { errors: listed, omitted } : { errors: listed };
  return new TaskBridgeError('REQUEST_VALIDATION_ERROR', 'The request has fields that are missing, unknown or out of range.', { details });
}

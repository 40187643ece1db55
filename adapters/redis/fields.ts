import type { Fields } from '../../server/ports/index.ts';

/** What the names of fields begin with: they stand in one hash with what the store itself keeps of a task. */
export const FIELD = 'f:';

/** Names and values in turn, as scripts take them. */
export function pairsOf(fields: Fields, prefix = ''): string[] {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(fields)) pairs.push(prefix + name, value);
  return pairs;
}

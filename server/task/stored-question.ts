import { NewerVersionError } from '../../machines/index.ts';
import type { FactPayload, Json } from '../../machines/wire/index.ts';
import { canonicalJson, sha256 } from './content-hash.ts';

/** The version of the form. */
export const QUESTION_VERSION = 1;

interface StoredQuestion {
  readonly v: number;
  readonly hash: string;
}

/** What is kept of a question, to tell it from another one under the same key. */
export function storeQuestion(question: FactPayload<'TASK_SUSPENDED'>): string {
  return JSON.stringify({ v: QUESTION_VERSION, hash: hashOf(question) } satisfies StoredQuestion);
}

/**
 * True where a question is the one that was kept, its deadline aside, which each run counts anew; and where none was kept, as 0.1.0 kept none.
 * Throws `NewerVersionError` where a newer node wrote it.
 */
export function isStoredQuestion(json: string | undefined, question: FactPayload<'TASK_SUSPENDED'>): boolean {
  if (json === undefined) return true;
  // Our own text.
  const { v, hash } = JSON.parse(json) as StoredQuestion;
  if (v > QUESTION_VERSION) throw new NewerVersionError(v, QUESTION_VERSION);
  return hash === hashOf(question);
}

function hashOf({ expiresAt: _, ...question }: FactPayload<'TASK_SUSPENDED'>): string {
  // JSON, but for what TypeScript says of optional fields.
  return sha256(canonicalJson(question as unknown as Json));
}

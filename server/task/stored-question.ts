import { NewerVersionError } from '../../machines/index.ts';
import type { FactPayload, Json } from '../../machines/wire/index.ts';
import { hasActionsField, withoutActions } from '../contract/report-check.ts';
import { canonicalJson, sha256 } from './content-hash.ts';

/** The version of the form. */
export const QUESTION_VERSION = 1;

interface StoredQuestion {
  readonly v: number;
  readonly hash: string;
}

/**
 * What is kept of a question, to tell it from another one under the same key. Of a question of a contract, not what that says of its actions: it may
 * change while the question is open, and a later run still asks the same.
 */
export function storeQuestion(question: FactPayload<'TASK_SUSPENDED'>): string {
  const hash = hasActionsField(question.interaction) ? hashOfAsked(question) : hashOf(question);
  return JSON.stringify({ v: QUESTION_VERSION, hash } satisfies StoredQuestion);
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
  // It may have been asked before its type had a contract, and by now the other way round.
  return hash === hashOf(question) || hash === hashOfAsked(question);
}

/** Of what is asked, whatever may be answered. */
function hashOfAsked(question: FactPayload<'TASK_SUSPENDED'>): string {
  return hashOf({ ...question, allowedActions: [] });
}

function hashOf(asked: FactPayload<'TASK_SUSPENDED'>): string {
  const { expiresAt: _, ...question } = withoutActions(asked);
  // JSON, but for what TypeScript says of optional fields.
  return sha256(canonicalJson(question as unknown as Json));
}

import { contractQuestion, type ContractType } from '../../machines/contract/index.ts';
import type { FactPayload } from '../../machines/wire/index.ts';
import { RefusedReport } from './failure.ts';
import type { Question } from './handler.ts';

/** A question as the log has it. */
export function questionPayload(suspendId: string, asked: Question, now: number): FactPayload<'TASK_SUSPENDED'> {
  const { kind = 'USER_ACTION_REQUIRED', reasonCode, allowedActions, schemaVersion = 1, expiresInMs, uiHints, interaction } = asked;
  return {
    suspendId,
    kind,
    reasonCode,
    allowedActions: [...allowedActions],
    schemaVersion,
    ...(expiresInMs !== undefined && { expiresAt: new Date(now + expiresInMs).toISOString() }),
    ...(uiHints && { uiHints }),
    ...(interaction && { interaction }),
  };
}

/** A question of a contract as work asks it: what is the contract's to say is left out. Throws for a key that is none of a question. */
export function questionBy(type: ContractType | undefined, key: string, asked: Partial<Question>): Question {
  // Untyped work says all of it.
  if (!type) return asked as Question;
  const question = contractQuestion(type, key);
  if (!question) {
    const names = [...type.questions.keys()];
    const there = names.length > 0 ? `its questions are ${names.join(', ')}` : 'it has no questions';
    throw new RefusedReport('REPORT_REFUSED', `The key ${JSON.stringify(key)} names no question of ${type.taskType}: ${there}.`);
  }
  const { reasonCode, kind, schemaVersion, actions } = question;
  return { ...asked, reasonCode, kind, schemaVersion, allowedActions: asked.allowedActions ?? [...actions.keys()] };
}

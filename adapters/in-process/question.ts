import type { FactPayload } from '../../machines/wire/index.ts';
import type { Question } from './handler.ts';

/** A question as the log has it. */
export function question(suspendId: string, asked: Question, now: number): FactPayload<'TASK_SUSPENDED'> {
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

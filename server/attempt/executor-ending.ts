import type { Intent } from '../../machines/index.ts';
import { limits } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { UnitOfWork } from '../task/unit-of-work.ts';
import { presentable } from './presentable.ts';

/** How a task ends, as its executor says when it is asked. */
type GivenEnding = Extract<Intent, { readonly type: 'report.completed' | 'report.failed' | 'report.cancelled' | 'task.fail' }>;

/** What became of it. */
interface TakenEnding {
  /** False where the task had ended before. */
  readonly isTaken: boolean;
  /** Why no fact may say what was given; the task failed by that. */
  readonly refusal?: TaskBridgeError;
}

/**
 * Ends a task as its executor says, in a way that can be shown to people. An executor that is asked again says the same: where no fact may say it,
 * the task fails by that, or it would never end.
 */
export function takeEnding(unit: UnitOfWork, ending: GivenEnding): TakenEnding {
  try {
    return { isTaken: unit.atomically((trial) => trial.decide(presentable(ending)).facts.length > 0) };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const payload = { code: 'REPORT_REFUSED', message: error.message.slice(0, limits.noteCharactersMax), retryable: false };
    const type = ending.type === 'task.fail' ? ending.type : 'report.failed';
    return { isTaken: unit.decide(presentable({ type, payload })).facts.length > 0, refusal: error };
  }
}

function isRefusal(error: unknown): error is TaskBridgeError {
  return error instanceof TaskBridgeError && ['REQUEST_VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE'].includes(error.code);
}

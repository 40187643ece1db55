import { createHash } from 'node:crypto';
import type { AcceptedAction, Resolution } from '../../server/ports/index.ts';
import { RefusedReport } from './failure.ts';
import { TaskFailure, TaskStopped } from './handler.ts';

/** Who waits for the end of a question. */
export interface Waiter {
  resolve(action: AcceptedAction): void;
  reject(error: TaskFailure): void;
}

/** A question of a task, as far as a run is concerned. */
export interface Asking {
  /** The run has asked it. */
  isAsked: boolean;
  /** … and it has not ended, as far as the run knows. */
  isOpen: boolean;
  /** The handler awaits its end. */
  isAwaited: boolean;
  /** Who waits for its end. Only once it is known that it was asked: an answer under the same key may be that to another question. */
  waiter?: Waiter | undefined;
  /** How it ended, as long as nobody was told. */
  resolution?: Resolution | undefined;
}

const KEY_CHARACTERS_MAX = 200;

/** Throws for a key that no question can have. */
export function assertKey(key: string): void {
  if (key === '' || key.length > KEY_CHARACTERS_MAX)
    throw new RefusedReport(
      'REPORT_REFUSED',
      `The key of a question has 1 to ${KEY_CHARACTERS_MAX} characters; this one has ${key.length}.`,
    );
}

/** The id of a question: the same for each run of its task. */
export function suspendIdOf(taskId: string, key: string): string {
  return `${key}-${createHash('sha256').update(`${taskId}\n${key}`).digest('hex').slice(0, 8)}`;
}

/** The refusal of a key that has another question. */
export function keyUsed(key: string, why: string): RefusedReport {
  const text = `The key ${JSON.stringify(key)} is used: ${why}. Give each question of a task a key of its own, such as one with a number or the name of what is asked about.`;
  return new RefusedReport('SUSPENSION_KEY_USED', text);
}

/** Tells a waiter how a question ended. */
export function settle({ resolve, reject }: Waiter, resolution: Resolution): void {
  if (resolution.outcome === 'ANSWERED') resolve(resolution.action);
  else if (resolution.outcome === 'EXPIRED')
    reject(new TaskFailure('SUSPENSION_EXPIRED', `Nobody answered ${resolution.suspendId} in time.`));
  else reject(new TaskStopped({ why: 'ended', reason: `The question ${resolution.suspendId} was withdrawn.` }));
}

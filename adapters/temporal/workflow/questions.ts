import { ApplicationFailure, CancellationScope, CancelledFailure } from '@temporalio/workflow';
import type { AcceptedAction, Resolution } from '../../../server/ports/index.ts';
import type { ReportedIntent } from '../contract.ts';
import { taskFailure } from './task-failure.ts';
import type { Question } from './flow.ts';

const KEY_CHARACTERS_MAX = 200;

interface Waiter {
  resolve(action: AcceptedAction): void;
  reject(error: unknown): void;
}

/** The questions that a workflow asked, and how those ended that did. */
export class Questions {
  readonly #resolutions: Map<string, Resolution>;
  readonly #waiters = new Map<string, Waiter>();
  /** Asked in this run. */
  readonly #asked = new Set<string>();

  constructor(known: readonly Resolution[]) {
    this.#resolutions = new Map(known.map((resolution) => [resolution.suspendId, resolution]));
  }

  /** All that is known; it goes on to the next run. */
  get resolutions(): readonly Resolution[] {
    return [...this.#resolutions.values()];
  }

  /** Notes that a question is about to be asked. Throws where this run has asked under its key before. */
  begin(suspendId: string, key: string): void {
    if (this.#asked.has(suspendId)) throw keyUsed(key, 'this run has asked under it already');
    this.#asked.add(suspendId);
  }

  /** Notes how a question ended; the first word counts. */
  resolve(resolution: Resolution): void {
    const { suspendId } = resolution;
    if (this.#resolutions.has(suspendId)) return;
    this.#resolutions.set(suspendId, resolution);
    const waiter = this.#waiters.get(suspendId);
    if (waiter) settle(waiter, resolution);
    this.#waiters.delete(suspendId);
  }

  /** Resolves with the answer; rejects with the end of the question, or of the scope that it is asked in. */
  answer(suspendId: string): Promise<AcceptedAction> {
    const answer = new Promise<AcceptedAction>((resolve, reject) => {
      const known = this.#resolutions.get(suspendId);
      if (known) settle({ resolve, reject }, known);
      else this.#waiters.set(suspendId, { resolve, reject });
    });
    const scope = CancellationScope.current();
    return scope.cancellable ? Promise.race([answer, scope.cancelRequested]) : answer;
  }
}

/** The id of a question: the same whenever the workflow asks it again. */
export function suspendIdOf(taskId: string, key: string): string {
  if (key === '' || key.length > KEY_CHARACTERS_MAX)
    throw ApplicationFailure.nonRetryable(`The key of a question has 1 to ${KEY_CHARACTERS_MAX} characters; this one has ${key.length}.`);
  return `${key}-${taskId.slice(-8)}`;
}

/** Why a question is not asked under a key. */
export function keyUsed(key: string, why: string): ApplicationFailure {
  const text = `The key ${JSON.stringify(key)} is used: ${why}. Give each question of a task a key of its own, such as one with a number or the name of what is asked about.`;
  return taskFailure('SUSPENSION_KEY_USED', text);
}

/** A question of a contract, of which a flow says only what its contract leaves open. */
export interface ContractAsked {
  readonly taskType: string;
  readonly key: string;
}

/** A question as it is reported. */
export function asked(suspendId: string, question: Partial<Question>, { taskType, key }: ContractAsked): ReportedIntent {
  if (isWhole(question)) return askedWhole(suspendId, question);
  const { allowedActions, expiresInMs, uiHints, interaction } = question;
  const shown = { ...(uiHints && { uiHints }), ...(interaction && { interaction }) };
  return {
    type: 'report.asked',
    taskType,
    key,
    payload: { suspendId, ...(allowedActions && { allowedActions }), ...shown },
    ...(expiresInMs !== undefined && { expiresInMs }),
  };
}

function isWhole(question: Partial<Question>): question is Question {
  return question.reasonCode !== undefined;
}

function askedWhole(suspendId: string, question: Question): ReportedIntent {
  const { kind = 'USER_ACTION_REQUIRED', reasonCode, allowedActions, schemaVersion = 1, expiresInMs, uiHints, interaction } = question;
  return {
    type: 'report.suspended',
    payload: {
      suspendId,
      kind,
      reasonCode,
      allowedActions: [...allowedActions],
      schemaVersion,
      ...(uiHints && { uiHints }),
      ...(interaction && { interaction }),
    },
    ...(expiresInMs !== undefined && { expiresInMs }),
  };
}

function settle({ resolve, reject }: Waiter, resolution: Resolution): void {
  if (resolution.outcome === 'ANSWERED') resolve(resolution.action);
  else if (resolution.outcome === 'EXPIRED') reject(taskFailure('SUSPENSION_EXPIRED', `Nobody answered ${resolution.suspendId} in time.`));
  else reject(new CancelledFailure(`The question ${resolution.suspendId} was withdrawn.`));
}

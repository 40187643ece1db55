import { isFact, isTerminalType, type Fact, type FactPayload, type UnknownFact } from '../machines/wire/index.ts';
import { TaskBridgeClientError } from './errors.ts';

/** True for the fact that ends a log. */
export function isTerminalFact(fact: Fact | UnknownFact): boolean {
  return isTerminalType(fact.type);
}

/**
 * The progress that a fact reports; undefined for facts of other types. Throws with code `INVALID_RESPONSE` where the payload has no
 * finite `progress`.
 */
export function asProgress(fact: Fact | UnknownFact): FactPayload<'TASK_PROGRESS'> | undefined {
  if (!isFact(fact, 'TASK_PROGRESS')) return undefined;
  return Number.isFinite(fact.payload?.progress) ? fact.payload : refuse(fact, 'progress');
}

/**
 * Why the task failed; undefined for facts of other types. Throws with code `INVALID_RESPONSE` where the payload says neither code nor
 * message.
 */
export function asFailure(fact: Fact | UnknownFact): FactPayload<'TASK_FAILED'> | undefined {
  if (!isFact(fact, 'TASK_FAILED')) return undefined;
  return typeof fact.payload?.code === 'string' && typeof fact.payload.message === 'string'
    ? fact.payload
    : refuse(fact, 'code and message');
}

function refuse({ type, eventId }: Fact | UnknownFact, what: string): never {
  throw new TaskBridgeClientError('INVALID_RESPONSE', `The payload of ${type} ${eventId} has no usable ${what}.`);
}

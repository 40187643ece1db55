import type { Intent } from '../../machines/index.ts';
import type { DecisionEntry, ExistenceIntent } from '../actors/unit-trace.ts';
import { TaskBridgeError } from '../errors.ts';
import type { TaskRecord } from './task-record.ts';
import type { TaskServiceDeps } from './task-service-deps.ts';

type Deps = Pick<TaskServiceDeps, 'processor' | 'source'>;

/** Shows an inspector, where there is one, what was wished of a task and refused before its charts were asked; gives the refusal back, to be thrown. */
export function refusedIntent<E>({ processor, source }: Deps, record: TaskRecord, intent: () => Intent | ExistenceIntent, refusal: E): E {
  if (refusal instanceof TaskBridgeError)
    processor.decided(() => {
      // Charts may have been asked since it was read.
      const now = processor.known(record.about.taskId) ?? record;
      return { before: now, after: now, entries: [decision(source, intent(), refusal.code)] };
    });
  return refusal;
}

/** What was decided, in one entry. */
export function decision(
  source: DecisionEntry['source'],
  intent: DecisionEntry['intent'],
  refusal: DecisionEntry['refusal'] = undefined,
): DecisionEntry {
  return { kind: 'decision', source, intent, refusal };
}

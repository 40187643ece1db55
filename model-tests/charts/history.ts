import * as fc from 'fast-check';
import { decide, emptyAggregate, fold, type Aggregate, type Intent, type TaskIntent } from '../../machines/index.ts';
import { eventId, type Fact, type FactBody } from '../../machines/wire/index.ts';
import { alphabetOf, intentTable, partNumbers, question } from './alphabet.ts';

const DEADLINE = '2026-01-01T12:00:00Z';
const ids = ['a', 'b', 'never-asked'];
const times = ['2026-01-01T11:00:00Z', '2026-01-01T13:00:00Z'];

/** Whatever may be wished of a task with two questions, one of them with a deadline. */
export const intents: readonly Intent[] = [
  ...alphabetOf<TaskIntent>({
    ...intentTable,
    'report.suspended': [
      { type: 'report.suspended', payload: question('a') },
      { type: 'report.suspended', payload: question('b', DEADLINE) },
    ],
  }),
  ...ids.flatMap((suspendId) =>
    times.flatMap((at): Intent[] => [
      { type: 'suspension.expire', suspendId, at },
      { type: 'action.submit', suspendId, clientActionId: 'c1', actionType: 'keep', at },
      { type: 'action.submit', suspendId, clientActionId: 'c2', actionType: 'burn', at },
      { type: 'action.submit', suspendId, clientActionId: 'c1', actionType: 'keep', at, receipt: 'same' },
      { type: 'action.submit', suspendId, clientActionId: 'c1', actionType: 'drop', at, receipt: 'different' },
    ]),
  ),
];

/** The same intent, about the first or the second part that is open, where it is about one of the alphabet's. */
export function aimed({ task }: Aggregate, intent: Intent): Intent {
  if (intent.type !== 'report.part.closed' && intent.type !== 'part.abandon') return intent;
  const part = task.context.openParts[(partNumbers as readonly number[]).indexOf(intent.payload.part)]?.opened ?? intent.payload.part;
  // Only the number changes.
  return { ...intent, payload: { ...intent.payload, part } } as Intent;
}

/** Gives facts their place in a log: dense ids after the last one. */
export function written(aggregate: Aggregate, facts: readonly FactBody[]): Fact[] {
  const last = Number(aggregate.lastEventId?.split('-')[0] ?? 0);
  return facts.map((fact, index) => ({ ...fact, taskId: 't', eventId: eventId(last + index + 1, 1), createdAt: '2026-01-01T00:00:00Z' }));
}

/** Every aggregate on the way of a list of intents, the empty one first, each decided and folded like the server does. */
export function historyOf(wishes: readonly Intent[]): Aggregate[] {
  const history = [emptyAggregate];
  let now = emptyAggregate;
  for (const intent of wishes)
    for (const fact of written(now, decide(now, aimed(now, intent)).facts)) {
      now = fold(now, fact);
      history.push(now);
    }
  return history;
}

/** Random lists of intents. The end is rare, so that they live. */
export const arbitraryIntents: fc.Arbitrary<Intent[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...intents.filter(({ type }) => !/completed|failed|fail|cancel/.test(type))) },
    { weight: 1, arbitrary: fc.constantFrom(...intents) },
  ),
  { maxLength: 40 },
);

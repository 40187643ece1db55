import { emptyAggregate, fold, isTerminalType, parseEventId, storeAggregate, type Aggregate, type Fact, type UnknownFact } from 'taskbridge/machines';

/** One thing that has to be true at the end, and what was found where it is not. */
export interface Proof {
  readonly claim: string;
  readonly faults: readonly string[];
}

/** Compares what a client saw with what the store has. */
export function proveLog(seen: readonly (Fact | UnknownFact)[], projection: Aggregate, stored: readonly Fact[]): readonly Proof[] {
  const ids = seen.map(({ eventId }) => parseEventId(eventId)?.n ?? 0);
  const holes = ids.flatMap((n, index) => (n === index + 1 ? [] : [`fact ${index + 1} that the client saw has number ${n}`]));
  const folded = stored.reduce(fold, emptyAggregate);
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const differing = stored.filter((fact, index) => !same(fact, seen[index]));
  const contents = stored.map(({ type, payload }) => JSON.stringify([type, payload]));
  const repeated = stored.filter((_, index) => contents.indexOf(contents[index] ?? '') !== index);
  const questions = stored.filter(({ type }) => type === 'TASK_SUSPENDED').length;
  const answers = stored.filter(({ type }) => type === 'TASK_ACTION_ACCEPTED').length;
  const ends = stored.filter(({ type }, index) => isTerminalType(type) !== (index === stored.length - 1));
  return [
    { claim: `The client saw facts 1 to ${seen.length}, each once and in order`, faults: holes.slice(0, 3) },
    {
      claim: `They are the ${stored.length} facts of the store, to the letter`,
      faults: seen.length === stored.length ? differing.slice(0, 3).map(({ eventId }) => `fact ${eventId} differs`) : [`the store has ${stored.length}, the client saw ${seen.length}`],
    },
    {
      claim: 'Folding them gives the state that the client shows',
      faults: same(storeAggregate(folded), storeAggregate(projection)) ? [] : [`${JSON.stringify(storeAggregate(projection))} is not ${JSON.stringify(storeAggregate(folded))}`],
    },
    { claim: 'Nothing was reported twice', faults: repeated.slice(0, 3).map(({ eventId, type }) => `${type} ${eventId} repeats an earlier fact`) },
    { claim: 'Nothing was asked twice', faults: questions <= 1 && answers === questions ? [] : [`${questions} questions, ${answers} answers`] },
    { claim: 'The log ends once, at its end', faults: ends.map(({ eventId }) => `fact ${eventId}`) },
  ];
}

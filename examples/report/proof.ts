import { emptyAggregate, fold, storeAggregate, type Aggregate } from 'taskbridge/machines';
import { isTerminalType, parseEventId, type Fact, type UnknownFact } from 'taskbridge/wire';
import { checkReport } from './check.ts';
import type { Report } from './job/index.ts';
import type { FaultTally } from './fault-injection.ts';

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
      faults:
        seen.length === stored.length
          ? differing.slice(0, 3).map(({ eventId }) => `fact ${eventId} differs`)
          : [`the store has ${stored.length}, the client saw ${seen.length}`],
    },
    {
      claim: 'Folding them gives the state that the client shows',
      faults: same(storeAggregate(folded), storeAggregate(projection))
        ? []
        : [`${JSON.stringify(storeAggregate(projection))} is not ${JSON.stringify(storeAggregate(folded))}`],
    },
    {
      claim: 'Nothing was reported twice',
      faults: repeated.slice(0, 3).map(({ eventId, type }) => `${type} ${eventId} repeats an earlier fact`),
    },
    {
      claim: 'Nothing was asked twice',
      faults: questions <= 1 && answers === questions ? [] : [`${questions} questions, ${answers} answers`],
    },
    { claim: 'The log ends once, at its end', faults: ends.map(({ eventId }) => `fact ${eventId}`) },
  ];
}

/** Downloads the cleaned file, and computes report and file again from the input. */
export async function proveReport(csv: Uint8Array, report: Report | undefined, download: () => Promise<Response>): Promise<Proof> {
  const claim = 'Report and cleaned file are what the input says, computed again by other means';
  if (!report) return { claim, faults: ['the task has no report'] };
  const response = await download();
  if (!response.ok) return { claim, faults: [`the download was answered ${response.status}`] };
  return { claim, faults: checkReport(csv, report, new Uint8Array(await response.arrayBuffer())).slice(0, 3) };
}

/** All five troubles happened, the task was followed again after each, and on the highest transport again where it may be. */
export function proveFaultsSurvived({ cuts, blocks, kills, survived, climbed }: FaultTally): Proof {
  const all = cuts + blocks + kills;
  const claim = `Survived ${cuts} cuts, ${blocks} blocked transports and ${kills} kill -9 of the server`;
  if (all < 5) return { claim, faults: ['the task was over before all five troubles had happened'] };
  if (survived < all) return { claim, faults: [`only ${survived} of ${all}`] };
  return { claim, faults: climbed ? [] : ['the client did not climb back to WebSocket'] };
}

import { recoveryMachine, type TransportFailure } from '../../../machines/index.ts';
import type { RecoveryContext } from '../../../machines/transport/recovery.machine.ts';
import type { TransportName } from '../../../machines/wire/index.ts';
import { actingEffect, mayBeTold } from './acting-words.ts';
import { decisionRows, stateRows, type DecisionRow } from './decision-table.ts';
import { BEGINNING, type ContextCell, type Decisions } from './decisions.ts';

type ConnectionEnding = RecoveryContext['ending'];
type Refreshable = RecoveryContext['refreshable'];
type Trust = RecoveryContext['cursor'];

const file = new URL('recovery.md', import.meta.url);
const states = stateRows(file);
const error = 'it threw';

/** What is said of an ending in words: its kind, its status or code, and what is known beside. */
function endingOf(words: string): ConnectionEnding {
  const [kind = '', ...more] = words.split(' ');
  const verdict = more.find((word): word is 'retry' | 'final' => word === 'retry' || word === 'final');
  const beside = { ...(verdict && { verdict }), ...(more.includes('unknown') && { isUnknown: true }) };
  if (kind === 'threw') return { kind: more[0], error, ...beside } as ConnectionEnding;
  if (kind === 'closed') return { kind, closeCode: Number(more[0]), ...beside };
  if (kind !== 'refused') return { kind } as ConnectionEnding;
  const code = more.find((word) => /^[A-Z_]+$/u.test(word));
  const rest = more.includes('after') && { retryAfterMs: Number(more[more.indexOf('after') + 1]) };
  const message = more.includes('saying') && { message: 'It is not yours.' };
  return { kind, status: Number(more[0]), ...(code && { code }), ...message, ...rest, ...beside };
}

const others = [400, 403, 404, 405, 421, 426, 501];
const refusalsOf = (transport: string, isUnheard: boolean): string[] =>
  others.filter((status) => !isUnheard || status !== 501).map((status) => `${transport}: refused ${status}${isUnheard ? ' unknown' : ''}`);
const groups = Object.fromEntries(
  ['ws', 'sse', 'poll'].flatMap((transport) => [
    [`${transport} of others`, refusalsOf(transport, false)],
    [`unheard ${transport}`, refusalsOf(transport, true)],
  ]),
);
const rows = decisionRows(file, groups);
const toldIn = (state: string): string[] => [
  ...new Set(rows.filter((row: DecisionRow) => row.states.includes(state)).flatMap(({ told }) => told)),
];

type Told = { readonly type: string; readonly [field: string]: unknown };

function eventOf(told: string): Told {
  const [who = '', words = ''] = told.split(': ');
  if (who === 'settle') {
    if (words === 'failed') return { type: 'xstate.error.actor.settle', error: 'network' };
    const { kind, ...refusal } = endingOf(words);
    return { type: 'xstate.done.actor.settle', output: { outcome: kind, ...refusal } };
  }
  if (who === 'refresh') {
    const [outcome, verdict] = words.split(' ');
    const failed = outcome === 'failed' && { error, ...(verdict && { verdict }) };
    return { type: 'xstate.done.actor.refresh', output: { outcome, ...failed } };
  }
  return { type: 'xstate.init', input: { transport: who, ending: endingOf(words) } };
}

const told = [...new Set(rows.flatMap((row) => row.told))];
const places: readonly (readonly [where: string, refreshable: Refreshable, cursor: Trust])[] = [
  ['nothing', 'nothing', 'trusted'],
  ['unauthorized', 'unauthorized', 'trusted'],
  ['closed', 'closed', 'trusted'],
  ['a checkpoint', 'nothing', 'stored'],
  ['a checkpoint dropped', 'nothing', 'dropped'],
];
const contextOf = (
  words: string,
  refreshable: Refreshable,
  failure: TransportFailure | null = null,
  cursor: Trust = 'trusted',
): RecoveryContext => {
  const [of = '', ending = ''] = words.split(': ');
  return { of: of as TransportName, ending: endingOf(ending), refreshable, cursor, failure };
};

const closedForGood = failureOf('closed', { kind: 'closed', closeCode: 1008 });
/** What is remembered where something was asked. */
const classes: readonly { readonly state: string; readonly where: string; readonly before: RecoveryContext }[] = [
  { state: 'settling', where: 'closed', before: contextOf('ws: closed 1012', 'closed') },
  { state: 'settling', where: 'unauthorized', before: contextOf('sse: ended', 'unauthorized') },
  { state: 'settling', where: 'used up', before: contextOf('ws: unopened', 'nothing') },
  { state: 'appealing', where: 'used up', before: contextOf('ws: closed 1008', 'nothing', closedForGood) },
  { state: 'appealing', where: 'unauthorized', before: contextOf('ws: closed 1008', 'unauthorized', closedForGood) },
  { state: 'appealing', where: 'a checkpoint', before: contextOf('ws: closed 1008', 'nothing', closedForGood, 'stored') },
  { state: 'appealing', where: 'a checkpoint dropped', before: contextOf('ws: closed 1008', 'nothing', closedForGood, 'dropped') },
  { state: 'settling', where: 'a checkpoint', before: contextOf('ws: unopened', 'closed', null, 'stored') },
  { state: 'refreshing', where: 'after a 401', before: contextOf('poll: refused 401 AUTHENTICATION_ERROR', 'unauthorized') },
  { state: 'refreshing', where: 'after a close', before: contextOf('ws: closed 1008', 'closed') },
];

const cells: readonly ContextCell<RecoveryContext>[] = [
  ...toldIn(BEGINNING).flatMap((words) =>
    places.map(([where, refreshable, cursor]) => ({
      state: BEGINNING,
      told: words,
      where,
      before: contextOf(words, refreshable, null, cursor),
    })),
  ),
  ...classes.flatMap(({ state, where, before }) => {
    const row = states.find((one) => one.state === state);
    return told
      .filter((words) => row && !words.match(/^(?:ws|sse|poll): /u) && mayBeTold(row, eventOf(words)))
      .map((words) => ({ state, told: words, where, before }));
  }),
];

/** Why it ends, by the word of the table. */
function failureOf(word: string, ending: ConnectionEnding): TransportFailure {
  const [kind, first = '', code = '', saying] = word.split(' ');
  if (kind === 'threw') return { code: first, message: 'Something of the host’s own failed.', cause: error };
  if (kind === 'refused') return { code, message: saying ? 'It is not yours.' : `The server answered ${first}.`, status: Number(first) };
  const { closeCode = 0 } = ending as { closeCode?: number };
  return { code: 'CONNECTION_REFUSED', message: `The server closed the connection for good (${closeCode}).`, closeCode };
}

/** The chart of what comes after a connection, and `recovery.md`. */
export const recoveryDecisions: Decisions<RecoveryContext> = {
  name: 'recovery',
  machine: recoveryMachine,
  pages: ['client/README.md'],
  states,
  rows,
  cells,
  events: Object.fromEntries(told.map((words) => [words, eventOf(words)])),
  eventIn: (words, state, { refreshable, cursor }) => {
    if (state !== BEGINNING) return undefined;
    const { type, input } = eventOf(words);
    return { type, input: { ...(input as object), refreshable, cursor } } as Told;
  },
  value: (state) => state,
  said: (word) => [actingEffect(word, { settle: 'settle', refresh: 'refreshCredentials' })],
  changed: (word, before, event) => {
    const { output } = event as unknown as { output?: { error?: unknown; outcome?: string } };
    if (word === 'answered') return { ...before, of: 'snapshot', ending: { ...output, kind: 'refused' } as unknown as ConnectionEnding };
    if (word === 'no credentials') {
      const { outcome: _, ...failed } = output ?? {};
      return { ...before, ending: { ...failed, kind: 'unauthorized' } as ConnectionEnding };
    }
    return { ...before, failure: failureOf(word, before.ending) };
  },
  output: (next, { failure, ending }) => ({
    next,
    failure: next === 'failed' || next === 'misplaced' ? failure : null,
    retryAfterMs: 'retryAfterMs' in ending ? ending.retryAfterMs : 0,
  }),
};

import { transportMachine } from '../../../machines/index.ts';
import type { TransportName } from '../../../machines/wire/index.ts';
import { actingEffect, mayBeTold, over } from './acting-words.ts';
import { decisionRows, regionRows, stateRows, timeRows } from './decision-table.ts';
import { BEGINNING, type ContextCell, type Decisions } from './decisions.ts';
import type { Effect } from './observed-step.ts';
import { beginnings, situations, tries, type TransportContext } from './transport-context.ts';

type Told = { readonly type: string; readonly [field: string]: unknown };

const file = new URL('transport.md', import.meta.url);
const states = stateRows(file);
const delivering = Object.keys(situations);
const any = states.filter(({ isEnd }) => !isEnd).map(({ state }) => state);
const losses = ['comes: lost', 'comes: barred'];
const credentialRows = regionRows(file, 'credentials');

const endings: Readonly<Record<string, object>> = {
  lost: { kind: 'lost' },
  mute: { kind: 'mute' },
  gated: { kind: 'gated' },
  refused: { kind: 'refused', status: 403, code: 'TASK_OWNERSHIP_ERROR' },
  routeless: { kind: 'refused', status: 405, code: 'METHOD_NOT_ALLOWED' },
  bad: { kind: 'refused', status: 400, code: 'VALIDATION_ERROR' },
  overloaded: { kind: 'refused', status: 503, code: 'STORE_UNAVAILABLE' },
  strange: { kind: 'refused', status: 403 },
  'strange from the first': { kind: 'refused', status: 405, isUnknown: true },
};
const speech = ['opening', 'offline', 'silent', 'live', 'level', 'renewed', 'heard facts', 'heard alive'];
const ends = Object.keys(endings).map((name) => `ends: ${name}`);
const ofConnections = [...speech, ...ends].flatMap((told) => [told, `${told} by the other`]);
/** What is read by the recovery alone, where the connection that delivers ends so. */
const ofOthers = ['routeless', 'bad', 'overloaded', 'strange', 'strange from the first'].map((name) => `ends: ${name}`);
const failure = { code: 'REQUEST_REFUSED', message: 'No.' };
const comes = ['finished', 'failed', 'refreshed', 'misplaced', 'routeless', 'barred', 'lost'];

const events: Readonly<Record<string, Told>> = {
  ...Object.fromEntries(Object.entries(beginnings).map(([name, { input }]) => [name, { type: 'xstate.init', input }])),
  ...Object.fromEntries(ofConnections.map((told) => [told, { type: told }])),
  ...Object.fromEntries(
    ['log.ended', 'consumer.full', 'consumer.drained', 'network.changed', 'credentials.aged', 'credentials.refreshed'].map((type) => [
      type,
      { type },
    ]),
  ),
  'log.gap trimmed': { type: 'log.gap', reason: 'trimmed' },
  'log.gap reset': { type: 'log.gap', reason: 'reset' },
  ...Object.fromEntries(
    comes.map((next) => [
      `comes: ${next}`,
      {
        type: 'xstate.done.actor.recovery',
        output: { next, failure: next === 'failed' || next === 'misplaced' ? failure : null, retryAfterMs: 70 },
      },
    ]),
  ),
  ...Object.fromEntries(
    [
      ['climbInterval', 'steady'],
      ['probeTimeout', 'probing'],
      ['provingTime', 'proving'],
      ['reconnectBackoff', 'waiting'],
    ].map(([time = '', state = '']) => [`after ${time}`, over(time, `transport.observing.delivering.${state}`)]),
  ),
};

/** What a connection says or ends with, by the name of the one that it is. */
function eventOf(told: string, { transport, probe }: TransportContext): Told | undefined {
  if (!ofConnections.includes(told)) return undefined;
  const speaker = told.endsWith(' by the other') ? probe : transport;
  const what = told.replace(' by the other', '');
  if (what.startsWith('ends: '))
    return { type: `xstate.done.actor.${speaker}`, actorId: speaker, output: endings[what.slice('ends: '.length)] };
  const [verb, facts] = what.split(' ');
  return { type: `connection.${verb}`, transport: speaker, ...(verb === 'heard' && { hasFacts: facts === 'facts' }) };
}

/** Only connections that are there speak; only polls are stopped by the gate, and only streams have no route or are mute. */
function maySpeak(told: string, state: string, { transport, probe }: TransportContext): boolean {
  if (!ofConnections.includes(told)) return true;
  if (!['connecting', 'steady', 'probing', 'proving'].includes(state.split('/')[0] ?? '')) return false;
  const isOther = told.endsWith(' by the other');
  if (told.startsWith('ends: gated')) return (isOther ? probe : transport) === 'poll';
  return isOther ? probe !== null : !ofOthers.includes(told);
}

const cells: readonly ContextCell<TransportContext>[] = [
  ...Object.entries(beginnings).map(([told, { context }]) => ({ state: BEGINNING, told, where: told, before: context })),
  ...states
    .filter(({ isEnd }) => !isEnd)
    .flatMap((row) =>
      Object.entries(situations[row.state.split('/')[0] ?? ''] ?? {}).flatMap(([where, { context: before }]) =>
        Object.entries(events)
          .filter(([told, event]) => event.type !== 'xstate.init' && (ofConnections.includes(told) || mayBeTold(row, event)))
          .filter(([told]) => maySpeak(told, row.state, before))
          .map(([told]) => ({ state: row.state, told, where, before })),
      ),
    ),
];

/** Which of the situations it was, for what is chosen next. */
const situationOf = (context: TransportContext) =>
  Object.values(situations)
    .flatMap((named) => Object.values(named))
    .find((one) => one.context === context);

type Change = (before: TransportContext, rest: string, event: Told) => Partial<TransportContext> | undefined;
const only = (name: string, value: number) => ({ [name]: value }) as Partial<TransportContext['tries']>;

const changes: Readonly<Record<string, Change>> = {
  transport: (_, name) => ({ transport: name as TransportName, retryAfterMs: 0 }),
  probe: (_, name) => ({ probe: name as TransportName }),
  'no probe': () => ({ probe: null }),
  'no transport': () => ({
    failure: { code: 'NO_TRANSPORT', message: 'Every transport that may be used was ruled out by the server.' },
  }),
  chosen: (before) => {
    const found = situationOf(before);
    return found && { transport: found.chosen, probe: null, retryAfterMs: 0, ...found.again };
  },
  'network forgotten': ({ tries: all }) => ({ left: all, barred: [], passes: 0 }),
  first: ({ tries: all }) => ({ transport: all.ws > 0 ? 'ws' : 'sse', probe: null, retryAfterMs: 0 }),
  resumed: () => ({ continuity: 'resumed' }),
  gap: () => ({ continuity: 'gap' }),
  reset: () => ({ continuity: 'reset' }),
  'tries back': ({ left, tries: all, transport }) => ({ left: { ...left, ...only(transport, all[transport]) } }),
  passes: (_, count) => ({ passes: Number(count) }),
  'climb failures': (_, count) => ({ climbFailures: Number(count) }),
  left: (_, counts) => ({ left: tries(counts) }),
  'none left out': () => ({ barred: [] }),
  'ws left out': ({ barred, left }) => ({ barred: [...barred, 'ws' as const].sort(), left: { ...left, ws: 0 } }),
  'sse left out': ({ barred, left }) => ({ barred: ['sse' as const, ...barred], left: { ...left, sse: 0 } }),
  never: ({ tries: all, left }, name) => ({ tries: { ...all, ...only(name, 0) }, left: { ...left, ...only(name, 0) } }),
  'a try less': ({ left, transport }) => ({ left: { ...left, ...only(transport, left[transport] - 1) } }),
  'ladder again': ({ tries: all, passes }) => ({ left: all, passes: passes + 1 }),
  rests: (_, ms) => ({ retryAfterMs: Number(ms) }),
  failure: () => ({ failure }),
  'checkpoint dropped': () => ({ cursor: 'dropped', continuity: 'reset' }),
  trusted: () => ({ cursor: 'trusted' }),
};

function changed(word: string, before: TransportContext, event: Told, state: string): TransportContext | undefined {
  if (word === 'may refresh') {
    const refreshesFor = { fresh: 'nothing', accepted: 'unauthorized', trusted: 'closed' } as const;
    const met = state.split('/')[1] as keyof typeof refreshesFor;
    return { ...before, refreshesFor: before.refreshable ? refreshesFor[met] : 'nothing' };
  }
  const name = Object.keys(changes).find((each) => word === each || word.startsWith(`${each} `));
  const change = word in changes ? changes[word] : name === undefined ? undefined : changes[name];
  const part = change?.(before, word.slice((name ?? '').length + 1), event);
  return part && { ...before, ...part };
}

function said(word: string, event: Told, before: TransportContext, after: TransportContext): Effect {
  const [verb, what = '', told] = word.split(' ');
  if (verb === 'tells') return { type: 'tells', to: what, event: { type: told } };
  if (word === 'opens network') return actingEffect(word, { network: 'watchNetwork' });
  if (word === 'opens recovery') {
    const input = { transport: event['actorId'], ending: event['output'], refreshable: after.refreshesFor, cursor: before.cursor };
    return actingEffect(word, { recovery: 'recovery' }, input);
  }
  if (verb === 'does') return { type: 'does', action: what };
  if (verb !== 'opens') return actingEffect(word, {});
  const name = { chosen: situationOf(before)?.chosen, first: before.tries.ws > 0 ? 'ws' : 'sse' }[what] ?? what;
  return { type: 'opens', id: name, src: 'connection', input: { transport: name } };
}

/** What the credentials have met then. */
function credentialsAfter(told: string, met: string): string {
  return credentialRows.find((row) => row.states.includes(met) && row.told.includes(losses.includes(told) ? 'loss' : told))?.then ?? met;
}

/** The chart of how one observation stays connected, and `transport.md`. */
export const transportDecisions: Decisions<TransportContext> = {
  name: 'transport',
  machine: transportMachine,
  pages: ['client/README.md'],
  states,
  times: timeRows(file),
  rows: decisionRows(file, {
    any,
    ...Object.fromEntries(delivering.map((name) => [name, any.filter((state) => state.startsWith(`${name}/`))])),
  }),
  asides: credentialRows,
  cells,
  events,
  eventIn: (told, _state, before) => eventOf(told, before),
  value: (state) => {
    const [first = '', met = ''] = state.split('/');
    return met === '' ? first : { observing: { delivering: first, credentials: met } };
  },
  then: (word, state, told) => {
    const [first = '', met = ''] = state.split('/');
    if (state === BEGINNING || word === 'done' || word === 'failed') return undefined;
    return `${word || first}/${credentialsAfter(told, met)}`;
  },
  said: (word, event, before, after) => [said(word, event as Told, before, after)],
  changed: (word, before, event, state) => changed(word, before, event as Told, state),
  actor: (word, { transport, probe }) =>
    ({ delivering: transport, probe: probe ?? undefined })[word] ?? (word === 'probe' ? undefined : word),
  output: (_state, context) => context.failure,
};

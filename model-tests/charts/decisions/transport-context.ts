import type { ContextFrom } from 'xstate';
import type { transportMachine } from '../../../machines/index.ts';
import type { TransportName } from '../../../machines/wire/index.ts';

/** What the chart of a transport remembers. */
export type TransportContext = ContextFrom<typeof transportMachine>;

/** The same, and which transport it opens next. */
export interface Situation {
  readonly context: TransportContext;
  /** The highest with tries left; by hand. Undefined where a state never leads to it. */
  readonly chosen: TransportName;
  /** What is chosen where none has tries left: all have theirs again first. */
  readonly again?: Partial<TransportContext>;
  /** The highest that may be used at all. */
  readonly first: TransportName;
}

/** `2/0/1`: of a WebSocket, a stream, polls. */
export function tries(text: string): TransportContext['tries'] {
  const [ws = 0, sse = 0, poll = 0] = text.split('/').map(Number);
  return { ws, sse, poll };
}

const base: TransportContext = {
  strategy: 'progressive-sticky',
  tries: tries('2/2/2'),
  left: tries('2/2/2'),
  barred: [],
  transport: 'ws',
  probe: null,
  passes: 1,
  climbFailures: 1,
  refreshable: true,
  refreshesFor: 'nothing',
  retryAfterMs: 0,
  // So that it shows where it is resumed.
  continuity: 'gap',
  cursor: 'trusted',
  failure: null,
};

function situation(
  chosen: TransportName,
  part: Partial<TransportContext> = {},
  { again, first = 'ws' }: { again?: Partial<TransportContext>; first?: TransportName } = {},
): Situation {
  return { context: { ...base, transport: chosen, ...part }, chosen, first, ...(again && { again }) };
}

const fromSse = { left: tries('0/2/2') };
const fromPoll = { left: tries('0/0/2') };
const neverWs = { tries: tries('0/2/2') };
const oneEach = { tries: tries('1/1/1'), left: tries('1/1/1') };
const ws = situation('ws');
const sse = situation('sse', fromSse);
const poll = situation('poll', fromPoll);
const beside = situation('ws', { probe: 'poll' });

/** By hand: what may have happened before, in each of the states of the first region. */
export const situations: Readonly<Record<string, Readonly<Record<string, Situation>>>> = {
  connecting: {
    ws,
    sse,
    poll,
    'ws, poll beside': beside,
    'ws, left out': situation('ws', { barred: ['ws'], left: tries('1/2/2') }),
    'fast-cycle': situation('ws', { strategy: 'fast-cycle', tries: tries('2/2/2'), left: tries('1/1/1') }),
    nobody: situation('ws', { refreshable: false }),
    'one each': situation('ws', oneEach),
    'ws, polls never': situation('ws', { tries: tries('2/2/0'), left: tries('2/2/0') }),
    'ws, polls never, sse beside': situation('ws', { tries: tries('2/2/0'), left: tries('2/2/0'), probe: 'sse' }),
    'ws, polls spent': situation('ws', { left: tries('2/2/0') }),
    'ws, a checkpoint': situation('ws', { cursor: 'stored' }),
    'ws, poll beside, a checkpoint': situation('ws', { probe: 'poll', cursor: 'stored' }),
    'ws, a checkpoint dropped': situation('ws', { cursor: 'dropped', continuity: 'reset' }),
    'poll, a checkpoint': situation('poll', { ...fromPoll, cursor: 'stored' }),
  },
  steady: {
    ws,
    sse,
    poll,
    'ws, poll beside': beside,
    'sse, one each': situation('sse', { ...oneEach, left: tries('0/1/1') }),
    'sse, poll beside': situation('sse', { ...fromSse, probe: 'poll' }),
    'sse, a WebSocket never': situation('sse', { ...neverWs, ...fromSse }, { first: 'sse' }),
    'poll, a WebSocket never': situation('poll', { ...neverWs, ...fromPoll }, { first: 'sse' }),
    'sse, failed often': situation('sse', { ...fromSse, climbFailures: 4 }),
  },
  probing: {
    'sse, ws above': situation('sse', { ...fromSse, probe: 'ws' }),
    'sse, ws above, failed often': situation('sse', { ...fromSse, probe: 'ws', climbFailures: 4 }),
    'poll, ws above': situation('poll', { ...fromPoll, probe: 'ws' }),
    'poll, ws above, left out': situation('poll', { ...fromPoll, probe: 'ws', barred: ['ws'] }),
    // Polls were asked beside it, and it has its tries still.
    'poll, ws above, silent': situation('ws', { transport: 'poll', probe: 'ws' }),
    'poll, sse above': situation('poll', { ...fromPoll, probe: 'sse' }),
  },
  proving: { ws, sse, 'failed often': situation('ws', { climbFailures: 4 }) },
  recovering: {
    ws,
    poll,
    'one each': situation('ws', oneEach),
    'ws, last try': situation('ws', { left: tries('1/2/2') }),
    'ws, last try, failed often': situation('ws', { left: tries('1/2/2'), passes: 5 }),
    'sse, ws left out, last try': situation('sse', { left: tries('0/1/2'), barred: ['ws'] }),
    // It was asked beside a silent WebSocket, which has its tries still.
    'poll, asked beside': situation('ws', { transport: 'poll' }),
    'ws, last try, others left out': situation('ws', { left: tries('1/0/0'), tries: tries('2/2/0'), barred: ['sse'] }),
    'ws, last try, others spent': situation('ws', { left: tries('1/0/0') }),
    'poll, last try': situation('poll', { left: tries('0/0/1') }),
    'poll, last try, failed often, ws left out': situation('poll', { left: tries('0/0/1'), passes: 5, barred: ['ws'] }),
    // It was left out, and answered when it was asked beside a silent WebSocket.
    'sse, left out': situation('ws', { transport: 'sse', tries: tries('2/2/0'), left: tries('2/0/0'), barred: ['sse'] }),
    'ws only': situation('ws', { tries: tries('2/0/0'), left: tries('2/0/0') }),
    'ws only, last try': situation('ws', { tries: tries('2/0/0'), left: tries('1/0/0') }),
    'ws, a checkpoint': situation('ws', { cursor: 'stored' }),
  },
  waiting: {
    ws: situation('ws', { left: tries('1/2/2') }),
    'ws, third loss': situation('ws', { tries: tries('5/2/2'), left: tries('2/2/2') }),
    'asked to rest a little': situation('ws', { left: tries('1/2/2'), retryAfterMs: 300 }),
    'ladder again': situation('ws', { transport: 'poll', passes: 2 }),
    'ladder again, failed often': situation('ws', { transport: 'poll', passes: 5 }),
    'asked to rest': situation('ws', { left: tries('1/2/2'), retryAfterMs: 7000 }),
    'all spent': situation('ws', { transport: 'poll', left: tries('0/0/0') }, { again: { left: tries('2/2/2'), passes: 2 } }),
    'all spent, failed often': situation('ws', { transport: 'poll', left: tries('0/0/0'), passes: 5 }, { again: { left: tries('2/2/2') } }),
    'all spent, both above left out': situation(
      'poll',
      { left: tries('0/0/0'), barred: ['sse', 'ws'] },
      { again: { left: tries('0/0/2'), passes: 2 } },
    ),
    'all spent, all left out': situation(
      'ws',
      { transport: 'sse', tries: tries('2/2/0'), left: tries('0/0/0'), barred: ['sse', 'ws'] },
      { again: { left: tries('2/2/0'), barred: [], passes: 2 } },
    ),
  },
  full: { ws, sse, 'ws, poll beside': situation('ws', { left: tries('1/2/2') }) },
};

const untold = { passes: 0, climbFailures: 0, continuity: 'resumed' as const };
/** What it is given when it begins, and remembers then. */
export const beginnings: Readonly<Record<string, { readonly input: object; readonly context: TransportContext }>> = {
  'two tries each': {
    input: { tries: tries('2/2/2'), strategy: 'progressive-sticky', refreshable: true },
    context: { ...base, ...untold },
  },
  'no WebSocket': {
    input: { tries: tries('0/2/2'), strategy: 'progressive-sticky', refreshable: false },
    context: { ...base, ...untold, tries: tries('0/2/2'), left: tries('0/2/2'), transport: 'sse', refreshable: false },
  },
  'polls only': {
    input: { tries: tries('0/0/2'), strategy: 'progressive-sticky', refreshable: true },
    context: { ...base, ...untold, tries: tries('0/0/2'), left: tries('0/0/2'), transport: 'poll' },
  },
  'a checkpoint': {
    input: { tries: tries('2/2/2'), strategy: 'progressive-sticky', refreshable: true, cursor: 'stored' },
    context: { ...base, ...untold, cursor: 'stored' },
  },
  'fast-cycle': {
    input: { tries: tries('3/3/0'), strategy: 'fast-cycle', refreshable: true },
    context: { ...base, ...untold, strategy: 'fast-cycle', tries: tries('1/1/0'), left: tries('1/1/0') },
  },
  'fast-cycle without a WebSocket': {
    input: { tries: tries('0/3/3'), strategy: 'fast-cycle', refreshable: true },
    context: { ...base, ...untold, strategy: 'fast-cycle', tries: tries('0/1/1'), left: tries('0/1/1'), transport: 'sse' },
  },
};

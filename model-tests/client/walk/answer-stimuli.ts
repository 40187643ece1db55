import type { Classification } from 'taskbridge/machines';
import type { Errand, Moment } from './moment.ts';
import { isGateOpen, isUnanswered, on, rebasing, type Stimulus } from './stimulus.ts';
import type { Puppet } from './puppet.ts';
import { bulkAfter, bulkEndAfter, endAfter, factAfter, moved, TASK } from './wire-texts.ts';

type Telling = ReturnType<Stimulus['tells']>;

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly verdict?: Classification;
  readonly retryAfterSeconds?: number;
}
const answers: readonly Answer[] = [
  { status: 400 },
  { status: 401 },
  { status: 403, code: 'TASK_OWNERSHIP_ERROR' },
  { status: 404, code: 'NOT_FOUND' },
  { status: 404, code: 'TASK_NOT_FOUND' },
  { status: 405 },
  { status: 408 },
  { status: 409, verdict: 'retry' },
  { status: 409, verdict: 'final' },
  { status: 409 },
  { status: 425 },
  { status: 426 },
  { status: 429, retryAfterSeconds: 7 },
  { status: 500 },
  { status: 501 },
  { status: 503 },
];
const nameOf = ({ status, code, verdict, retryAfterSeconds }: Answer): string =>
  [status, code, verdict && `the host says ${verdict}`, retryAfterSeconds && `Retry-After: ${retryAfterSeconds}`]
    .filter(Boolean)
    .join(', ');
const refusalOf = ({ retryAfterSeconds, ...rest }: Answer): object => ({
  ...rest,
  ...(retryAfterSeconds !== undefined && { retryAfterMs: retryAfterSeconds * 1000 }),
});

/** What an errand's refusals have in common. */
function classOf(errand: Errand, { status, code, verdict }: Answer): string {
  if (verdict !== undefined) return verdict;
  if (status === 401) return 'unauthorized';
  const lacksRoute = status === 405 || status === 501 || (status === 404 && code !== 'TASK_NOT_FOUND');
  if (errand === 'settle' && lacksRoute) return 'no route';
  if ((errand === 'ws' || errand === 'sse') && (lacksRoute || status === 400 || status === 426)) return 'no route';
  return status === 408 || status === 425 || status === 429 || status >= 500 ? 'passing' : 'for good';
}

const refusals = (['ws', 'sse', 'poll', 'settle'] as const).flatMap((errand) =>
  answers.map((answer): Stimulus => ({
    name: `${errand}: answered ${nameOf(answer)}`,
    alike: `${errand}: refused, ${classOf(errand, answer)}`,
    tells: (moment) =>
      isUnanswered(moment, errand)
        ? {
            grants: true,
            events: [
              errand === 'settle'
                ? on('xstate.done.actor.settle', { output: { outcome: 'refused', ...refusalOf(answer) } })
                : on(`${errand}.refused`, refusalOf(answer)),
            ],
          }
        : undefined,
    async happen(puppet) {
      puppet.verdict = answer.verdict;
      (await puppet.request(errand)).refuse(answer);
    },
  })),
);

function page(name: string, body: (moment: Moment) => object | string, tells: (moment: Moment) => Telling): Stimulus {
  return {
    name: `poll: ${name}`,
    alike: `poll: ${name}`,
    tells(moment) {
      const told = isUnanswered(moment, 'poll') ? tells(moment) : undefined;
      return told && { grants: true, ...told };
    },
    async happen(puppet, moment) {
      const content = body(moment);
      (await puppet.request('poll')).answer(200, typeof content === 'string' ? content : JSON.stringify(content));
    },
  };
}
const pageOf = (events: readonly string[], more: object = {}): object => ({
  taskId: TASK,
  events: events.map((text): unknown => JSON.parse(text)),
  nextAfterEventId: null,
  hasMore: false,
  ...more,
});

const plainPolls: readonly Stimulus[] = [
  page(
    'a page',
    (moment) => pageOf([factAfter(moment)]),
    (moment) => ({ ...moved(moment), events: [on('poll.facts'), on('poll.page')] }),
  ),
  page(
    'an empty page',
    () => pageOf([]),
    () => ({ events: [on('poll.empty')] }),
  ),
  page(
    'a page with a malformed event',
    () => pageOf(['{}']),
    () => ({ events: [on('poll.malformed'), on('poll.empty')] }),
  ),
  page(
    'a page with three malformed events',
    () => pageOf(['{}', '[]', '3']),
    () => ({
      events: [...[1, 2, 3].map(() => on('poll.malformed')), on('poll.empty')],
    }),
  ),
  page(
    'a page after a hole in time',
    () => pageOf([], { gap: { reason: 'trimmed', firstEventId: '1-1000' } }),
    (moment) => ({
      ...rebasing(moment),
      events: [on('log.gap', { reason: 'trimmed' }), on('poll.empty')],
    }),
  ),
  page(
    'a page beyond what may wait',
    (moment) => pageOf([bulkAfter(moment)]),
    (moment) => ({ ...moved(moment), events: [on('consumer.full')] }),
  ),
  page(
    'a terminal page beyond what may wait',
    (moment) => pageOf([bulkEndAfter(moment)]),
    (moment) => ({
      ...moved(moment),
      events: [on('consumer.full'), on('log.ended')],
    }),
  ),
  page(
    'the end of the log',
    () => pageOf([], { terminal: true }),
    () => ({ events: [on('log.ended')] }),
  ),
  page(
    'the terminal fact',
    (moment) => pageOf([endAfter(moment)], { terminal: true }),
    (moment) => ({
      ...moved(moment),
      events: [on('poll.facts'), on('log.ended')],
    }),
  ),
  page(
    'no JSON',
    () => '<html>',
    () => ({ events: [on('poll.lost')] }),
  ),
  page(
    'a page without events',
    () => '{}',
    () => ({ events: [on('poll.lost')] }),
  ),
  {
    name: 'poll: cut',
    alike: 'poll: cut',
    tells: (moment) => (isUnanswered(moment, 'poll') ? { grants: true, events: [on('poll.lost')] } : undefined),
    happen: async (puppet) => (await puppet.request('poll')).cut(),
  },
];
const polls: readonly Stimulus[] = plainPolls.map((stimulus) =>
  stimulus.name.includes('hole in time')
    ? {
        ...stimulus,
        async happen(puppet: Puppet, moment: Moment) {
          await stimulus.happen(puppet, moment);
          if (isGateOpen(moment)) await puppet.giveSnapshot(moment.cursor);
        },
      }
    : stimulus,
);

function settlement(name: string, outcome: 'finished' | 'unfinished' | 'error', happen: Stimulus['happen']): Stimulus {
  return {
    name: `settle: ${name}`,
    alike: `settle: ${name}`,
    tells: (moment) =>
      isUnanswered(moment, 'settle')
        ? {
            grants: true,
            events: [outcome === 'error' ? on('xstate.error.actor.settle') : on('xstate.done.actor.settle', { output: { outcome } })],
          }
        : undefined,
    happen,
  };
}
const snapshotBody = (status: string, lastEventId: string | null): string =>
  JSON.stringify({ taskId: TASK, status, state: status.toLowerCase(), lastEventId });
const idAt = (cursor: number): string | null => (cursor === 0 ? null : `${cursor}-1000`);

const settlements: readonly Stimulus[] = [
  settlement('finished', 'finished', async (puppet, { cursor }) =>
    (await puppet.request('settle')).answer(200, snapshotBody('COMPLETED', idAt(cursor))),
  ),
  settlement('unfinished', 'unfinished', async (puppet, { cursor }) =>
    (await puppet.request('settle')).answer(200, snapshotBody('RUNNING', idAt(cursor))),
  ),
  settlement('finished, further on', 'unfinished', async (puppet, { cursor }) =>
    (await puppet.request('settle')).answer(200, snapshotBody('CANCELLED', idAt(cursor + 1))),
  ),
  settlement('cut', 'error', async (puppet) => (await puppet.request('settle')).cut()),
  settlement('no answer in time', 'error', async (puppet) => {
    await puppet.request('settle');
    puppet.pass('commandTimeout');
  }),
  settlement('a page of somebody else', 'error', async (puppet) => (await puppet.request('settle')).answer(200, '<html>')),
];

/** All that a server can answer to one request. */
export const answerStimuli: readonly Stimulus[] = [...refusals, ...polls, ...settlements];

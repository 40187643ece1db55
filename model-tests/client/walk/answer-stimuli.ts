import type { Classification } from 'taskbridge/machines';
import type { Operation, WalkState } from './walk-state.ts';
import { hearsGap, isUnanswered, on, rebasing, type Stimulus } from './stimulus.ts';
import type { ClientUnderTest } from './client-under-test.ts';
import { bulkAfter, bulkEndAfter, endAfter, factAfter, moved, snapshotBody, TASK } from './wire-texts.ts';

type Telling = ReturnType<Stimulus['tells']>;

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly verdict?: Classification;
  readonly retryAfterSeconds?: number;
}
/** Those with a code are the server's, the others somebody else's. */
const answers: readonly Answer[] = [
  { status: 400, code: 'REQUEST_VALIDATION_ERROR' },
  { status: 400 },
  { status: 401, code: 'AUTHENTICATION_ERROR' },
  { status: 401 },
  { status: 403, code: 'TASK_OWNERSHIP_ERROR' },
  { status: 403 },
  { status: 404, code: 'NOT_FOUND' },
  { status: 404, code: 'TASK_NOT_FOUND' },
  { status: 404 },
  { status: 405, code: 'METHOD_NOT_ALLOWED' },
  { status: 405 },
  { status: 408 },
  { status: 409, verdict: 'retry' },
  { status: 409, verdict: 'final' },
  { status: 409, code: 'IDEMPOTENCY_CONFLICT' },
  { status: 422, code: 'REQUEST_VALIDATION_ERROR' },
  { status: 425 },
  { status: 426, code: 'UPGRADE_REQUIRED' },
  { status: 429, retryAfterSeconds: 7 },
  { status: 500 },
  { status: 501, code: 'NOT_IMPLEMENTED' },
  { status: 501 },
  { status: 503 },
  { status: 503, code: 'STORE_UNAVAILABLE' },
];
/** What fetch does not tell: a redirect is an error to it, and what is answered 421 it asks once more. */
const notTold: readonly Answer[] = [{ status: 302 }, { status: 421 }];
const nameOf = ({ status, code, verdict, retryAfterSeconds }: Answer): string =>
  [status, code, verdict && `the host says ${verdict}`, retryAfterSeconds && `Retry-After: ${retryAfterSeconds}`]
    .filter(Boolean)
    .join(', ');
const refusalOf = ({ retryAfterSeconds, ...rest }: Answer): object => ({
  ...rest,
  ...(retryAfterSeconds !== undefined && { retryAfterMs: retryAfterSeconds * 1000 }),
});

/** What an operation's refusals have in common. */
function classOf(operation: Operation, { status, code, verdict, retryAfterSeconds }: Answer): string {
  if (verdict !== undefined) return verdict;
  if (status === 401) return code === undefined ? 'unauthorized by somebody else' : 'unauthorized';
  if (status < 400) return 'elsewhere';
  if (code === undefined && !isPassing(status)) return 'somebody else';
  const lacksRoute = code !== undefined && (status === 405 || status === 501 || (status === 404 && code !== 'TASK_NOT_FOUND'));
  if (operation === 'settle' && lacksRoute) return 'no route';
  if ((operation === 'ws' || operation === 'sse') && (lacksRoute || status === 400 || status === 426)) return 'no route';
  // A place in the log is not refused by who does not know the task, or may not show it.
  const ofPlace = operation === 'settle' || status === 403 || status === 404 ? '' : ', maybe the place';
  if (operation === 'poll' && lacksRoute && !isPassing(status)) return `for good, no route${ofPlace}`;
  if (retryAfterSeconds !== undefined) return 'asks to wait';
  if (isPassing(status)) return code === undefined ? 'passing, by somebody else' : 'passing';
  return `for good${ofPlace}`;
}
const isPassing = (status: number): boolean => status === 408 || status === 425 || status === 429 || status >= 500;

const refusals = (['ws', 'sse', 'poll', 'settle'] as const).flatMap((operation) =>
  [...answers, ...(operation === 'ws' ? notTold : [])].map((answer): Stimulus => ({
    name: `${operation}: answered ${nameOf(answer)}`,
    alike: `${operation}: refused, ${classOf(operation, answer)}`,
    tells: (state) =>
      isUnanswered(state, operation)
        ? {
            grants: true,
            events: [
              operation === 'settle'
                ? on('settle.done', { output: { outcome: 'refused', ...refusalOf(answer) } })
                : on(`${operation}.refused`, {
                    ...refusalOf(answer),
                    ...(!state.hasSpoken && answer.code === undefined && { isUnknown: true }),
                  }),
            ],
          }
        : undefined,
    async happen(driver) {
      driver.verdict = answer.verdict;
      (await driver.request(operation)).refuse(answer);
    },
  })),
);

function page(name: string, body: (state: WalkState) => object | string, tells: (state: WalkState) => Telling): Stimulus {
  return {
    name: `poll: ${name}`,
    alike: `poll: ${name}`,
    tells(state) {
      const told = isUnanswered(state, 'poll') ? tells(state) : undefined;
      return told && { grants: true, brings: 'poll', ...told };
    },
    async happen(driver, state) {
      const content = body(state);
      (await driver.request('poll')).answer(200, typeof content === 'string' ? content : JSON.stringify(content));
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
    (state) => pageOf([factAfter(state)]),
    (state) => ({ ...moved(state), events: [on('poll.facts'), on('poll.page')] }),
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
    (state) => ({
      ...rebasing(state),
      events: [on('log.gap', { reason: 'trimmed' }), on('poll.empty')],
    }),
  ),
  page(
    'a page beyond what may wait',
    (state) => pageOf([bulkAfter(state)]),
    (state) => ({ ...moved(state), events: [on('consumer.full')] }),
  ),
  page(
    'a terminal page beyond what may wait',
    (state) => pageOf([bulkEndAfter(state)]),
    (state) => ({
      ...moved(state),
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
    (state) => pageOf([endAfter(state)], { terminal: true }),
    (state) => ({
      ...moved(state),
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
    tells: (state) => (isUnanswered(state, 'poll') ? { grants: true, events: [on('poll.lost')] } : undefined),
    happen: async (driver) => (await driver.request('poll')).cut(),
  },
];
const polls: readonly Stimulus[] = plainPolls.map((stimulus) =>
  stimulus.name.includes('hole in time')
    ? {
        ...stimulus,
        // Asked beside another, it opens that anew: what this asks for would be granted with what the projection asks for.
        tells: (state: WalkState) => (state.charts.transport.context.probe === 'poll' ? undefined : stimulus.tells(state)),
        async happen(driver: ClientUnderTest, state: WalkState) {
          await stimulus.happen(driver, state);
          if (hearsGap(stimulus, state)) await driver.giveSnapshot(state.cursor);
        },
      }
    : stimulus,
);

function settlement(name: string, outcome: 'finished' | 'unfinished' | 'error', happen: Stimulus['happen']): Stimulus {
  return {
    name: `settle: ${name}`,
    alike: `settle: ${name}`,
    tells: (state) =>
      isUnanswered(state, 'settle')
        ? {
            grants: true,
            events: [outcome === 'error' ? on('settle.error') : on('settle.done', { output: { outcome } })],
          }
        : undefined,
    happen,
  };
}
const idAt = (cursor: number): string | null => (cursor === 0 ? null : `${cursor}-1000`);

const settlements: readonly Stimulus[] = [
  settlement('finished', 'finished', async (driver, { cursor }) =>
    (await driver.request('settle')).answer(200, snapshotBody('COMPLETED', idAt(cursor))),
  ),
  settlement('unfinished', 'unfinished', async (driver, { cursor }) =>
    (await driver.request('settle')).answer(200, snapshotBody('RUNNING', idAt(cursor))),
  ),
  settlement('finished, further on', 'unfinished', async (driver, { cursor }) =>
    (await driver.request('settle')).answer(200, snapshotBody('CANCELLED', idAt(cursor + 1))),
  ),
  settlement('cut', 'error', async (driver) => (await driver.request('settle')).cut()),
  settlement('no answer in time', 'error', async (driver) => {
    await driver.request('settle');
    driver.pass('commandTimeout');
  }),
  settlement('a page of somebody else', 'error', async (driver) => (await driver.request('settle')).answer(200, '<html>')),
];

/** All that a server can answer to one request. */
export const answerStimuli: readonly Stimulus[] = [...refusals, ...polls, ...settlements];

import type { Case } from '../../suite/case.ts';
import { holds, includes, present, same } from '../../suite/claim.ts';
import { within } from '../../suite/run.ts';
import { act, call, ended, idsOf, log, page, patienceOf, openQuestion, refused, start, typesOf } from '../calls.ts';
import { delivered, isOneRun, lives, stream, webSocket } from '../streams.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const poll = 'docs/protocol.md, Requests: Poll';
const cursors = 'docs/protocol.md, Facts: event ids and cursors';

/** Cursors that no server issued. */
const malformed = ['$', '+', '-', 'x', '1', '1-', '-1', '01-5', '1-2-3', '1 -2', '1-99999999999999999', 'null'];

/** What long polls and cursors mean. */
export const reading: readonly Case<ServerUnderTest>[] = [
  {
    id: 'poll.pages',
    title: 'gives a log in pages that put together are the log, in order and once',
    rule: poll,
    async run(server) {
      const taskId = await start(server, 'steps', { count: 40 });
      const whole = await ended(server, taskId);
      same(whole.length, 42, 'the number of facts');
      isOneRun(whole, 'the log');
      for (const size of [1, 7, 41, 42, 43]) same(await log(server, taskId, '', size), whole, `the log in pages of ${size}`);
      const first = await page(server, taskId, '?maxEvents=5');
      includes(first, { taskId, hasMore: true, nextAfterEventId: present(whole[4], 'the fifth fact').eventId });
    },
  },
  {
    id: 'poll.exact-has-more',
    title: 'says that there is more exactly where there is, and that nothing can follow',
    rule: `${poll}; \`terminal\``,
    better: true,
    async run(server) {
      const taskId = await start(server, 'steps', { count: 8 });
      await ended(server, taskId);
      const [part, whole] = [await page(server, taskId, '?maxEvents=9'), await page(server, taskId, '?maxEvents=10')];
      same([part.hasMore, part.terminal, whole.hasMore, whole.terminal], [true, false, false, true]);
    },
  },
  {
    id: 'poll.empty',
    title: 'answers no facts and the cursor that it was asked with, where there is nothing newer',
    rule: poll,
    async run(server) {
      const taskId = await start(server, 'wait');
      const last = present((await waiting(server, taskId)).at(-1), 'the last fact').eventId;
      const { events, nextAfterEventId, hasMore } = await page(server, taskId, `?afterEventId=${last}`);
      same([events, nextAfterEventId, hasMore], [[], last, false]);
    },
  },
  {
    id: 'poll.waits',
    title: 'waits for the next fact, and no longer than it was asked to',
    rule: poll,
    async run(server) {
      const taskId = await start(server, 'ask', { questions: 2 });
      const suspendId = await openQuestion(server, taskId);
      const last = present((await log(server, taskId)).at(-1), 'the last fact').eventId;
      const since = performance.now();
      const nothing = await within(patienceOf(server), page(server, taskId, `?afterEventId=${last}&waitTimeoutMs=300`), 'a poll of 300 ms');
      // The server began to wait after this began to: whatever held either of them up has made it longer.
      const waited = performance.now() - since;
      same(nothing.events, []);
      holds(waited >= 250, `a poll of 300 ms waited ${Math.round(waited)} ms`);
      const next = page(server, taskId, `?afterEventId=${last}&waitTimeoutMs=60000`);
      await act(server, taskId, { suspendId });
      same(typesOf((await next).events).slice(0, 1), ['ACTION_ACCEPTED']);
    },
  },
  {
    id: 'poll.finished',
    title: 'answers at once at the end of a finished log, whatever it was asked to wait',
    rule: `${poll}: such a poll does not wait`,
    better: true,
    failureClass: 'end-or-cut',
    async run(server) {
      const taskId = await start(server, 'echo');
      const last = present((await ended(server, taskId)).at(-1), 'the last fact').eventId;
      const since = performance.now();
      const { events, terminal } = await page(server, taskId, `?afterEventId=${last}&waitTimeoutMs=60000`);
      same([events, terminal], [[], true]);
      // As long as may be asked for: who does not wait is far below it on the slowest machine.
      holds(performance.now() - since < 60_000, 'it waited for what can never come');
    },
  },
  {
    id: 'poll.limits',
    title: 'refuses a wait or a page beyond the limits',
    rule: poll,
    async run(server) {
      const taskId = await start(server, 'echo');
      for (const query of [
        'waitTimeoutMs=60001',
        'waitTimeoutMs=-1',
        'waitTimeoutMs=soon',
        'maxEvents=0',
        'maxEvents=501',
        'maxEvents=1.5',
      ])
        refused(await call(server, 'GET', `/tasks/${taskId}/events?${query}`), 422, 'REQUEST_VALIDATION_ERROR');
    },
  },
  {
    id: 'cursor.strictly-newer',
    title: 'gives the same facts after every cursor over every transport: all that are newer, none that is not',
    rule: cursors,
    failureClass: 'duplicates-on-replay',
    async run(server) {
      const taskId = await start(server, 'steps', { count: 10 });
      const whole = await ended(server, taskId);
      for (const [i, { eventId }] of whole.slice(0, -1).entries())
        for (const kind of ['ws', 'sse', 'poll'] as const)
          same(
            await delivered(kind, server, taskId, { after: eventId }),
            whole.slice(i + 1),
            `the facts over ${kind} after the ${i + 1}th`,
          );
    },
  },
  {
    id: 'cursor.start',
    title: 'takes no cursor and 0-0 for the beginning, over every transport',
    rule: cursors,
    async run(server) {
      const taskId = await start(server, 'steps', { count: 3 });
      const whole = await ended(server, taskId);
      for (const kind of ['ws', 'sse', 'poll'] as const)
        for (const options of [{}, { after: '0-0' }])
          same(await delivered(kind, server, taskId, options), whole, `the log over ${kind} from ${JSON.stringify(options)}`);
    },
  },
  {
    id: 'cursor.empty',
    title: 'takes an empty cursor for the beginning, over every transport',
    rule: cursors,
    better: true,
    async run(server) {
      const taskId = await start(server, 'steps', { count: 3 });
      const whole = await ended(server, taskId);
      for (const kind of ['ws', 'sse', 'poll'] as const)
        same(await delivered(kind, server, taskId, { after: '' }), whole, `the log over ${kind}`);
    },
  },
  {
    id: 'cursor.malformed',
    title: 'refuses what cannot be a cursor: 422, on a WebSocket 1008 without a confirmation',
    rule: cursors,
    better: true,
    failureClass: 'cursor-not-resumable',
    async run(server) {
      const taskId = await start(server, 'echo');
      await ended(server, taskId);
      for (const after of malformed) {
        refused(
          await call(server, 'GET', `/tasks/${taskId}/events?afterEventId=${encodeURIComponent(after)}`),
          422,
          'REQUEST_VALIDATION_ERROR',
        );
        const headers = { 'last-event-id': after };
        refused(await call(server, 'GET', `/tasks/${taskId}/events/stream`, { headers }), 422, 'REQUEST_VALIDATION_ERROR');
        const socket = webSocket(server, [{ action: 'subscribe', taskId, lastEventId: after }]);
        same([await socket.end, socket.frames], [{ how: 'ended', code: 1008 }, []], `what a WebSocket says to ${after}`);
      }
    },
  },
  {
    id: 'ids.dense',
    title: 'numbers the facts of a task 1, 2, 3 …, with the time after the dash',
    rule: cursors,
    better: true,
    failureClass: 'ids-reused',
    async run(server) {
      const taskId = await start(server, 'steps', { count: 30 });
      const ids = idsOf(await ended(server, taskId));
      same(
        ids.map((id) => id.split('-')[0]),
        ids.map((_, i) => String(i + 1)),
        'the numbers',
      );
    },
  },
  {
    id: 'ids.one-meaning',
    title: 'means one fact by an id, over every transport and for ever',
    rule: cursors,
    failureClass: 'ids-reused',
    async run(server) {
      const taskId = await start(server, 'ask', { questions: 3, steps: 20 });
      const seen = new Map<string, string>();
      const look = async (): Promise<void> => {
        for (const fact of await log(server, taskId)) {
          const before = seen.get(fact.eventId);
          holds(before === undefined || before === JSON.stringify(fact), `${fact.eventId} was ${before} and is ${JSON.stringify(fact)}`);
          seen.set(fact.eventId, JSON.stringify(fact));
        }
      };
      for (const number of [1, 2, 3]) {
        const suspendId = await openQuestion(server, taskId, number);
        await look();
        await act(server, taskId, { suspendId });
      }
      isOneRun(await ended(server, taskId), 'the log');
      await look();
      for (const kind of lives) {
        const facts = await delivered(kind, server, taskId);
        same(facts.map((fact) => JSON.stringify(fact)).sort(), [...seen.values()].sort(), `the log over ${kind}`);
      }
    },
  },
  {
    id: 'log.nothing-after-the-end',
    title: 'writes nothing after the terminal fact, whatever is asked of the task then',
    rule: 'docs/protocol.md, Facts: the last three end the log',
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const suspendId = await openQuestion(server, taskId);
      await act(server, taskId, { suspendId });
      const whole = await ended(server, taskId);
      await act(server, taskId, { suspendId });
      await call(server, 'POST', `/tasks/${taskId}/cancel`, { json: { reason: 'late' } });
      same(await log(server, taskId), whole);
      same(typesOf(whole).at(-1), 'COMPLETED');
    },
  },
  {
    id: 'stream.late-viewer',
    title: 'shows a question that was asked before somebody looked, over every transport',
    rule: 'docs/protocol.md, WebSocket and Server-sent events: history first',
    failureClass: 'answer-or-question-lost',
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const suspendId = await openQuestion(server, taskId);
      for (const kind of lives) {
        const opened = stream(kind, server, taskId);
        const asked = await opened.until(({ type }) => type === 'TASK_SUSPENDED', `the question over ${kind}`);
        opened.close();
        includes(asked.payload, { suspendId, allowedActions: ['yes', 'no'], kind: 'USER_ACTION_REQUIRED' });
      }
    },
  },
];

/** The facts of a task that waits, once it does. */
async function waiting(server: ServerUnderTest, taskId: string) {
  const until = performance.now() + patienceOf(server);
  for (;;) {
    const facts = await log(server, taskId);
    if (typesOf(facts).includes('PROGRESS')) return facts;
    holds(performance.now() < until, 'the task was to report that it waits');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

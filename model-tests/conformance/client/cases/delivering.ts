import type { Case } from '../../suite/case.ts';
import { holds, present, same } from '../../suite/claim.ts';
import type { ClientDriver, ClientTransport } from '../driver.ts';
import {
  all,
  completed,
  every,
  fact,
  facts,
  final,
  id,
  numberOf,
  over,
  pausesOf,
  pieces,
  withScenario,
  TASK,
  type ClientScenario,
} from '../scenario.ts';
import type { ServerScript } from '../scripted-server.ts';

const cursors = 'docs/protocol.md, Facts: a cursor is the id of the last fact that was dealt with';
const ends = 'docs/protocol.md, Facts: the last three end the log';
const errors = 'docs/protocol.md, Errors';

/** What a client delivers, whatever becomes of its connections. */
export const delivering: readonly Case<ClientDriver>[] = [
  ...over(every, (kind) => ({
    id: 'client.whole-log',
    title: 'delivers a log as it is, and ends by itself after the terminal fact, whatever the server does then',
    rule: ends,
    failureClass: 'end-or-cut',
    run: (driver) =>
      withScenario(driver, [kind], { serve: (visit) => visit.send(...facts(numberOf(visit.after) + 1, 20)) }, async ({ observe }) => {
        same(await all(observe()), facts(1, 20));
      }),
  })),
  ...over(['ws', 'sse'], (kind) => ({
    id: 'client.clean-end-is-no-end',
    title: 'goes on after a clean end without a terminal fact, from the last one that it delivered',
    rule: ends,
    failureClass: 'end-or-cut',
    run: (driver) => pieces(driver, kind, (visit) => visit.end()),
  })),
  ...over(every, (kind) => ({
    id: 'client.second-drop',
    title: 'goes on after drop after drop, each time from the last fact that it delivered',
    rule: cursors,
    failureClass: 'second-drop',
    run: (driver) => pieces(driver, kind, (visit) => visit.cut()),
  })),
  ...over(every, (kind) => ({
    id: 'client.duplicates-on-replay',
    title: 'delivers once what a server sends again from the beginning, whatever the cursor was',
    rule: cursors,
    failureClass: 'duplicates-on-replay',
    run: (driver) =>
      withScenario(driver, [kind], replaying(), async ({ observe }) => {
        same(await all(observe()), facts(1, 12));
      }),
  })),
  ...over(['ws', 'sse'], (kind) => ({
    id: 'client.seam',
    title: 'delivers once and in order what comes twice where history meets what is live',
    rule: cursors,
    failureClass: 'seam',
    run: (driver) =>
      withScenario(
        driver,
        [kind],
        {
          serve(visit) {
            visit.send(...facts(numberOf(visit.after) + 1, 6, 10));
            visit.send(...facts(4, 8, 10));
            visit.send(...facts(7, 10));
          },
        },
        async ({ observe }) => same(await all(observe()), facts(1, 10)),
      ),
  })),
  ...over(every, (kind) => ({
    id: 'client.ids-reused',
    title: 'does not deliver another fact under an id that it has delivered',
    rule: 'docs/protocol.md, Facts: event ids',
    failureClass: 'ids-reused',
    run: (driver) =>
      withScenario(
        driver,
        [kind],
        {
          serve(visit) {
            if (visit.number > 1)
              return visit.send(...facts(1, 3, 6).map((one) => ({ ...one, payload: { progress: 99 } })), ...facts(4, 6));
            visit.send(...facts(1, 3, 6));
            visit.end();
          },
        },
        async ({ observe }) => same(await all(observe()), facts(1, 6)),
      ),
  })),
  ...over(every, (kind) => ({
    id: 'client.gap',
    title: 'goes on after a gap, and says that there was one',
    rule: 'docs/protocol.md, Extensions: gap',
    better: true,
    failureClass: 'cursor-not-resumable',
    run: (driver) => notContinued(driver, kind, 'trimmed'),
  })),
  ...over(every, (kind) => ({
    id: 'client.reset',
    title: 'gives up its cursor when history was replaced, and says so',
    rule: 'docs/protocol.md, Facts: Gaps',
    better: true,
    failureClass: 'cursor-not-resumable',
    run: (driver) => notContinued(driver, kind, 'reset'),
  })),
  ...over(['sse', 'poll'], (kind) => ({
    id: 'client.cursor-refused',
    title: 'gives up with an error when its cursor is refused, and does not ask for ever',
    rule: `${errors}: 422`,
    failureClass: 'cursor-not-resumable',
    run: (driver) => final(driver, kind, { status: 422, code: 'REQUEST_VALIDATION_ERROR' }, id(3)),
  })),
  ...over(['sse', 'poll'], (kind) => ({
    id: 'client.not-found',
    title: 'gives up with an error when there is no such task',
    rule: `${errors}: 404 TASK_NOT_FOUND`,
    run: (driver) => final(driver, kind, { status: 404, code: 'TASK_NOT_FOUND' }),
  })),
  ...over(['ws', 'sse'], (kind) => ({
    id: 'client.question-at-the-drop',
    title: 'delivers a question that came right before the connection was lost, once',
    rule: 'docs/protocol.md, Facts: TASK_SUSPENDED',
    failureClass: 'answer-or-question-lost',
    run: (driver) => questionAtTheDrop(driver, kind),
  })),
  {
    id: 'client.answer-again',
    title: 'sends an answer again whose reply was lost, under the same id, and gives its receipt',
    rule: 'docs/protocol.md, Requests: Actions',
    failureClass: 'answer-or-question-lost',
    async run(driver) {
      const sent: unknown[] = [];
      const command: ServerScript['command'] = (_path, body) => {
        sent.push(body['clientActionId']);
        if (sent.length === 1) return 'cut';
        if (sent.length === 2) return [503, { code: 'STORE_UNAVAILABLE', message: 'later', details: {}, timestamp: '' }];
        const { suspendId, clientActionId } = body;
        return [200, { taskId: TASK, suspendId, clientActionId, status: 'DEDUPLICATED' }];
      };
      await withScenario(driver, driver.transports, { serve: () => undefined, command }, async ({ client }) => {
        same((await client.act(TASK, { suspendId: 'q', actionType: 'yes' })).status, 'DEDUPLICATED');
        same([sent.length, new Set(sent).size, typeof sent[0]], [3, 1, 'string'], 'tries, ids among them, kind of id');
      });
    },
  },
  {
    id: 'client.answer-rests',
    title: 'rests before it sends an answer again as long as the server asks it to',
    rule: `${errors}: 429 RATE_LIMITED, with Retry-After`,
    failureClass: 'storms',
    async run(driver) {
      const at: number[] = [];
      const command: ServerScript['command'] = (_path, { suspendId, clientActionId }) => {
        at.push(performance.now());
        if (at.length === 1) return [429, { code: 'RATE_LIMITED', message: 'later', details: {}, timestamp: '' }, { 'retry-after': '1' }];
        return [202, { taskId: TASK, suspendId, clientActionId, status: 'ACCEPTED' }];
      };
      await withScenario(driver, driver.transports, { serve: () => undefined, command }, async ({ client }) => {
        same((await client.act(TASK, { suspendId: 'q', actionType: 'yes' })).status, 'ACCEPTED');
        const [first = 0, second = 0] = at;
        holds(second - first >= 990, `it was asked to rest 1000 ms, and rested ${Math.round(second - first)} ms`);
      });
    },
  },
  ...over(every, (kind) => ({
    id: 'client.reconnect-storm',
    title: 'takes 408, 425, 429 and 5xx for passing, rests before it tries again, and as long as the server asks it to',
    rule: `${errors}: 429 and 503 with Retry-After`,
    failureClass: 'storms',
    run: (driver) => rests(driver, kind),
  })),
  {
    id: 'client.refresh-storm',
    title: 'asks for one new token when ten observations are refused at once, and delivers to all of them',
    rule: `${errors}: 401`,
    failureClass: 'storms',
    async run(driver) {
      const script: ServerScript = {
        refuse: ({ token }) => (token === 'good' ? undefined : { status: 401, code: 'AUTHENTICATION_ERROR' }),
        serve: (visit) => visit.send(...facts(numberOf(visit.after) + 1, 5).map((one) => ({ ...one, taskId: visit.taskId }))),
      };
      const play = async ({ client }: ClientScenario): Promise<void> => {
        const tasks = Array.from({ length: 10 }, (_, i) => `${TASK.slice(1)}${i}`);
        const seen = await Promise.all(tasks.map((taskId) => all(client.observe(taskId))));
        same(
          seen.map((one) => one.length),
          tasks.map(() => 5),
          'the number of facts of each',
        );
        same(await client.refreshes(), 1, 'the number of refreshes');
      };
      await withScenario(driver, driver.transports, script, play, { tokens: ['stale', 'good', 'never asked for'] });
    },
  },
  {
    id: 'client.steps-down',
    title: 'falls from a transport that is ruled out to the next, down to the poll, and delivers the log',
    rule: 'docs/protocol.md, WebSocket, Server-sent events and Requests: Poll',
    missing: ({ transports }) => (transports.length === 3 ? undefined : 'the client has not all three transports.'),
    async run(driver) {
      const script: ServerScript = {
        refuse: ({ kind }) => (kind === 'poll' ? undefined : { status: 501, code: 'NOT_IMPLEMENTED' }),
        serve: (visit) => visit.send(...facts(numberOf(visit.after) + 1, 8)),
      };
      await withScenario(driver, every, script, async ({ server, observe }) => {
        same(await all(observe()), facts(1, 8));
        same(
          server.callers.map(({ kind }) => kind),
          ['ws', 'sse', 'poll'],
          'who came',
        );
      });
    },
  },
  ...over(['ws', 'sse'], (kind) => ({
    id: 'client.lenient',
    title: 'passes on types that it does not know, and survives a frame that is no event',
    rule: 'docs/protocol.md, Facts: clients pass on types that they do not know',
    run: (driver) =>
      withScenario(
        driver,
        [kind],
        {
          serve(visit) {
            const from = numberOf(visit.after) + 1;
            visit.noise('{"no":');
            const log = [
              fact(1),
              fact(2, 'TASK_OF_TOMORROW', { any: [1] }),
              fact(3, 'TASK_MESSAGE', { message: 'm', level: 'shrill' }),
              completed(4),
            ];
            visit.send(...log.slice(from - 1));
          },
        },
        async ({ observe }) =>
          same(
            (await all(observe())).map(({ type }) => type),
            ['TASK_PROGRESS', 'TASK_OF_TOMORROW', 'TASK_MESSAGE', 'TASK_COMPLETED'],
          ),
      ),
  })),
];

/** A server that does not look at cursors, and drops its first two visitors. */
function replaying(): ServerScript {
  return {
    serve(visit) {
      const to = Math.min(12, visit.number * 4);
      visit.send(...facts(1, to, 12));
      if (to < 12) visit.cut();
    },
  };
}

async function notContinued(driver: ClientDriver, kind: ClientTransport, reason: 'trimmed' | 'reset'): Promise<void> {
  const log = reason === 'trimmed' ? facts(10, 12) : facts(1, 3).map((one) => ({ ...one, eventId: one.eventId.replace('1000', '2000') }));
  const first = present(log[0], 'the first fact').eventId;
  const script: ServerScript = {
    serve(visit) {
      visit.gap(reason, first);
      visit.send(...log);
    },
  };
  await withScenario(driver, [kind], script, async ({ server, observe }) => {
    const observation = observe(id(5));
    same(await all(observation), log);
    same(server.visits[0]?.after, id(5), 'the cursor of the first visit');
    holds(
      server.visits.every(({ asksForGaps }) => asksForGaps),
      'the client does not ask for the extension `gap`, so that it is told nothing',
    );
    same(await observation.continuity(), reason === 'trimmed' ? 'gap' : 'reset', 'the continuity');
  });
}

async function questionAtTheDrop(driver: ClientDriver, kind: ClientTransport): Promise<void> {
  const asked = { suspendId: 'q', kind: 'USER_ACTION_REQUIRED', reasonCode: 'WHICH', allowedActions: ['yes'], schemaVersion: 1 };
  const accepted = { suspendId: 'q', clientActionId: 'a', actionType: 'yes', acceptedAt: '2026-01-01T00:00:00Z' };
  const log = [fact(1, 'TASK_STARTED', {}), fact(2, 'TASK_SUSPENDED', asked), fact(3, 'TASK_ACTION_ACCEPTED', accepted), completed(4)];
  const script: ServerScript = {
    serve(visit) {
      if (visit.number > 1) return visit.send(...log.slice(numberOf(visit.after)));
      visit.send(...log.slice(0, 2));
      visit.cut();
    },
  };
  await withScenario(driver, [kind], script, async ({ observe }) => same(await all(observe()), log));
}

/** Refuses five times, each time by another status, the last time with a wish. */
async function rests(driver: ClientDriver, kind: ClientTransport): Promise<void> {
  const script: ServerScript = {
    refuse({ number }) {
      const status = [408, 425, 500, ...(kind === 'sse' ? [429, 503] : [503, 429])][number - 1];
      return status === undefined ? undefined : { status, code: 'NOT_NOW', ...(number === 5 && { retryAfterSeconds: 1 }) };
    },
    serve: (visit) => visit.send(...facts(numberOf(visit.after) + 1, 3)),
  };
  await withScenario(driver, [kind], script, async ({ server, observe }) => {
    same(await all(observe()), facts(1, 3));
    const pauses = pausesOf(server);
    const told = pauses.join(', ');
    const first = pauses.slice(0, 4);
    holds(
      first.every((ms) => ms >= driver.restMs * 0.9),
      `it was to rest ${driver.restMs} ms and more, and rested ${told} ms`,
    );
    holds((pauses[4] ?? 0) >= 990, `it was asked to rest 1000 ms the last time, and rested ${told} ms`);
  });
}

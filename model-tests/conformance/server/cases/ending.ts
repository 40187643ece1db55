import type { Case } from '../../suite/case.ts';
import { holds, present, same } from '../../suite/claim.ts';
import { eventually } from '../../suite/eventually.ts';
import { act, call, ended, endsLog, log, page, patienceOf, openQuestion, someId, start, type Answer } from '../calls.ts';
import { sharedSocket, withoutMultiplex } from '../shared-socket.ts';
import { delivered, isOneRun, lives, stream } from '../streams.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const rule = 'docs/protocol.md, Shutdown';

/** A case that ends the host and starts it again. */
function about(
  one: Omit<Case<ServerUnderTest>, 'rule' | 'missing' | 'alone' | 'better' | 'run'> & {
    run(server: ServerUnderTest, restart: () => Promise<void>): Promise<void>;
  },
): Case<ServerUnderTest> {
  return {
    ...one,
    rule,
    better: true,
    alone: true,
    limitMs: 40_000,
    missing: ({ restart }) => (restart ? undefined : 'the world cannot be restarted (restart).'),
    run: (server) =>
      one.run(server, async () => {
        await present(server.restart, 'restart')();
        // Connections that were kept have seen their end by then, and are not used again.
        await eventually(() => arrived(server), patienceOf(server));
      }),
  };
}

/** An orderly end of the host, and its return. */
export const ending: readonly Case<ServerUnderTest>[] = [
  about({
    id: 'shutdown.polls',
    title: 'answers a waiting poll with what there is',
    failureClass: 'end-or-cut',
    async run(server, restart) {
      const { taskId, after } = await waiting(server);
      const since = performance.now();
      const poll = page(server, taskId, `?afterEventId=${after}&waitTimeoutMs=60000`);
      poll.catch(() => undefined);
      await arrived(server);
      await restart();
      const { events, nextAfterEventId, hasMore, terminal } = await poll;
      holds(performance.now() - since < 60_000, 'the poll waited as long as it was asked to');
      // The end of the host may be an event of the task as well.
      if (events.length === 0) same([nextAfterEventId, hasMore, terminal], [after, false, false], 'the cursor, hasMore and terminal');
      else same(events, (await log(server, taskId, after)).slice(0, events.length), 'the facts');
    },
  }),
  about({
    id: 'shutdown.streams',
    title: 'cuts sockets without a Close frame and event streams without an end, none within a frame',
    failureClass: 'end-or-cut',
    async run(server, restart) {
      const { taskId } = await waiting(server);
      const watching = lives.map((kind) => ({ kind, opened: stream(kind, server, taskId) }));
      const shared = (await withoutMultiplex(server)) === undefined ? await sharedSocket(server) : undefined;
      shared?.subscribe(taskId);
      const all = [...watching, ...(shared ? [{ kind: 'ws with many tasks', opened: shared }] : [])];
      for (const { kind, opened } of all) await opened.until(({ type }) => type === 'TASK_PROGRESS', `the report over ${kind}`);
      await restart();
      const whole = await log(server, taskId);
      for (const { kind, opened } of all) {
        const { how, code } = await opened.end;
        same(how, 'cut', `how the stream over ${kind} ended (${code})`);
        same(opened.facts, whole.slice(0, opened.facts.length), `what came over ${kind}`);
        const strange = opened.frames.filter(({ type }) => type.startsWith('(no JSON'));
        same(strange, [], `frames over ${kind} that are none`);
      }
    },
  }),
  about({
    id: 'shutdown.resume',
    title: 'keeps all that was committed, and goes on from every cursor over every transport',
    failureClass: 'cursor-not-resumable',
    async run(server, restart) {
      const taskId = await start(server, 'ask', { questions: 2, steps: 30 });
      await act(server, taskId, { suspendId: await openQuestion(server, taskId) });
      await openQuestion(server, taskId, 2);
      const before = await log(server, taskId);
      await restart();
      same((await log(server, taskId)).slice(0, before.length), before, 'the log after the restart');
      await act(server, taskId, { suspendId: await openQuestion(server, taskId, 2) });
      const whole = await ended(server, taskId);
      isOneRun(whole, 'the log');
      for (const after of [before[0], before[Math.floor(before.length / 2)], before.at(-1)])
        for (const kind of ['ws', 'sse', 'poll'] as const) {
          const cursor = present(after, 'a cursor').eventId;
          const rest = whole.slice(1 + whole.findIndex(({ eventId }) => eventId === cursor));
          same(await delivered(kind, server, taskId, { after: cursor }), rest, `what came over ${kind} after ${cursor}`);
        }
    },
  }),
  about({
    id: 'shutdown.requests',
    title: 'takes every create and answer once that is sent in the middle of it and again until it is answered',
    failureClass: 'answer-or-question-lost',
    async run(server, restart) {
      const asking = await Promise.all(Array.from({ length: 4 }, () => start(server, 'ask', {})));
      const questions = await Promise.all(asking.map((taskId) => openQuestion(server, taskId)));
      // One after the other, so that they come before, in and after the end of the host.
      const creating = inTurn(20, (number) => {
        const json = { clientRequestId: someId(), taskType: 'conformance.echo', input: { number } };
        return insisting(server, () => call(server, 'POST', '/tasks', { json }), [200, 201]);
      });
      const answering = asking.map((taskId, i) => {
        const action = { suspendId: questions[i] ?? '', clientActionId: someId(), payload: { i } };
        return insisting(server, () => act(server, taskId, action), [200, 202]);
      });
      await restart();
      const answers = await Promise.all(answering);
      for (const { body } of answers)
        holds(
          ['ACCEPTED', 'DEDUPLICATED', 'REJECTED_ALREADY_RESOLVED'].includes(body.status),
          `an answer was answered ${JSON.stringify(body)}`,
        );
      const created = await creating;
      same(new Set(created.map(({ body }) => body['taskId'])).size, 20, 'the number of tasks of twenty creates');
      for (const taskId of [...asking, ...created.map(({ body }) => String(body['taskId']))]) {
        const whole = await ended(server, taskId);
        isOneRun(whole, 'the log');
        same(whole.filter(endsLog).length, 1, 'the number of terminal facts');
        holds(whole.filter(({ type }) => type === 'TASK_ACTION_ACCEPTED').length <= 1, 'an answer was accepted twice');
      }
    },
  }),
];

/** A task that waits for ever, and its last id. */
async function waiting(server: ServerUnderTest): Promise<{ readonly taskId: string; readonly after: string }> {
  const taskId = await start(server, 'wait');
  const facts = await eventually(async () => {
    const all = await log(server, taskId);
    holds(
      all.some(({ type }) => type === 'TASK_PROGRESS'),
      'the task was to report that it waits',
    );
    return all;
  }, patienceOf(server));
  return { taskId, after: present(facts.at(-1), 'a fact').eventId };
}

/** Requests that were sent before have most likely arrived when later ones were answered. */
async function arrived(server: ServerUnderTest): Promise<void> {
  for (let times = 0; times < 3; times += 1) await call(server, 'GET', '//health');
}

async function inTurn<T>(count: number, make: (number: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let number = 1; number <= count; number += 1) results.push(await make(number));
  return results;
}

/** Asks again and again until the answer is one of these, as a client does whose connections are lost meanwhile. */
async function insisting<Body>(
  server: ServerUnderTest,
  ask: () => Promise<Answer<Body>>,
  statuses: readonly number[],
): Promise<Answer<Body>> {
  return eventually(
    async () => {
      const answer = await ask();
      holds(statuses.includes(answer.status), `it was to be answered ${statuses.join(' or ')}, and was ${answer.status}`);
      return answer;
    },
    3 * patienceOf(server),
  );
}

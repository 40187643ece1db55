import { chaosProxy, type ChaosProxy } from '../../chaos/proxy.ts';
import type { Case } from '../../suite/case.ts';
import { holds, present, same } from '../../suite/claim.ts';
import { within } from '../../suite/run.ts';
import { act, call, ended, endsLog, log, page, patienceOf, openQuestion, refused, someId, start, type WireFact } from '../calls.ts';
import { delivered, isOneRun, lives, stream, told, type Stream } from '../streams.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const both = 'docs/protocol.md, WebSocket and Server-sent events';

/** The failure classes of the field, through a wire that fails. */
export const failing: readonly Case<ServerUnderTest>[] = [
  {
    id: 'class.end-or-cut',
    title: 'an SSE body that is cut by a proper end of its connection is still no complete body, and a WebSocket has no Close frame',
    rule: `${both}: the stream ends after the terminal fact`,
    failureClass: 'end-or-cut',
    async run(server) {
      const taskId = await start(server, 'wait');
      await through(server, async (proxy) => {
        for (const kind of lives) {
          proxy.heal();
          const opened = stream(kind, server, taskId, { via: proxy.url });
          await opened.until(({ type }) => type === 'TASK_PROGRESS', 'the first report');
          proxy.impair('down', { cutAfterBytes: 0, cutBy: 'end' });
          same((await opened.end).how, 'cut', `how the stream over ${kind} ended`);
        }
      });
    },
  },
  {
    id: 'class.cursor-not-resumable',
    title: 'every cursor that was given out is good for going on, over every transport, as long as its facts are kept',
    rule: 'docs/protocol.md, Facts: a cursor is the id of the last fact that was dealt with',
    failureClass: 'cursor-not-resumable',
    async run(server) {
      const taskId = await start(server, 'ask', { questions: 2, steps: 10 });
      await act(server, taskId, { suspendId: await openQuestion(server, taskId) });
      await openQuestion(server, taskId, 2);
      const cursors = (await log(server, taskId)).map(({ eventId }) => eventId);
      await act(server, taskId, { suspendId: await openQuestion(server, taskId, 2) });
      const whole = await ended(server, taskId);
      for (const kind of ['ws', 'sse', 'poll'] as const)
        for (const [i, after] of cursors.entries())
          same(await delivered(kind, server, taskId, { after }), whole.slice(i + 1), `the facts over ${kind} after ${after}`);
    },
  },
  {
    id: 'class.seam',
    title: 'viewers that come at any moment of a task see the same run of facts from their cursor on',
    rule: `${both}: history first`,
    failureClass: 'seam',
    alone: true,
    limitMs: 40_000,
    async run(server) {
      const rounds = 6;
      const taskId = await start(server, 'ask', { questions: rounds, steps: 40 });
      const watching: { readonly opened: Stream; readonly after: string; readonly kind: string }[] = [];
      for (let number = 1; number <= rounds; number += 1) {
        const suspendId = await openQuestion(server, taskId, number);
        const here = (await log(server, taskId)).map(({ eventId }) => eventId);
        // The answer sets 40 facts going; the viewers come into the middle of them.
        const answered = act(server, taskId, { suspendId });
        for (const after of ['0-0', present(here[Math.floor(here.length / 2)], 'a cursor'), present(here.at(-1), 'a cursor')])
          for (const kind of lives) watching.push({ kind, after, opened: stream(kind, server, taskId, { after }) });
        await answered;
      }
      const whole = await ended(server, taskId);
      const seen = await Promise.all(watching.map(async (one) => ({ ...one, facts: await told(one.opened) })));
      same(whole.length, 2 + rounds * 42, 'the number of facts');
      isOneRun(whole, 'the log');
      for (const { kind, after, facts } of seen)
        same(facts, whole.slice(1 + whole.findIndex(({ eventId }) => eventId === after)), `what came over ${kind} after ${after}`);
    },
  },
  {
    id: 'class.duplicates-on-replay',
    title: 'a stream that is begun again brings nothing that is not newer than its cursor, while the task goes on',
    rule: 'docs/protocol.md, Facts: cursors',
    failureClass: 'duplicates-on-replay',
    async run(server) {
      const taskId = await start(server, 'ask', { questions: 4, steps: 25 });
      for (const kind of lives) {
        const got: WireFact[] = [];
        for (const number of kind === 'ws' ? [1, 2] : [3, 4]) {
          const suspendId = await openQuestion(server, taskId, number);
          const answered = act(server, taskId, { suspendId });
          const after = got.at(-1)?.eventId ?? '0-0';
          const opened = stream(kind, server, taskId, { after });
          const last = number % 4 === 0 ? endsLog : ({ payload }: { payload?: unknown }) => reads(payload, number);
          await opened.until(last, `the last fact of answer ${number}`);
          opened.close();
          await answered;
          got.push(...opened.facts);
        }
        isOneRun(got, `what came over ${kind} in two pieces`);
      }
    },
  },
  ...lives.map((kind): Case<ServerUnderTest> => ({
    id: `class.second-drop-${kind}`,
    title: `a log that is read over ${kind} through drop after drop, each time from the last id, is the log`,
    rule: 'docs/protocol.md, Facts: cursors',
    failureClass: 'second-drop',
    limitMs: 40_000,
    async run(server) {
      const taskId = await start(server, 'steps', { count: 250 });
      const whole = await ended(server, taskId);
      await through(server, async (proxy) => {
        const got: WireFact[] = [];
        let drops = 0;
        // Each connection lives for some thousand bytes of the log.
        while (!got.some(endsLog)) {
          holds(drops < 200, `after ${drops} drops the log was still not read`);
          proxy.heal();
          proxy.impair('down', { cutAfterBytes: 3000 + 977 * (drops % 7) });
          const opened = stream(kind, server, taskId, { via: proxy.url, after: got.at(-1)?.eventId ?? '0-0' });
          await Promise.race([opened.end, opened.until(endsLog, 'the terminal fact').catch(() => undefined)]);
          opened.close();
          got.push(...opened.facts);
          drops += 1;
        }
        holds(drops > 2, `the wire was to drop more than twice, and dropped ${drops} times`);
        same(got, whole);
      });
    },
  })),
  {
    id: 'class.answer-or-question-lost',
    title: 'an answer whose reply is lost is the same answer when it is sent again, and the work goes on',
    rule: 'docs/protocol.md, Requests: Actions',
    failureClass: 'answer-or-question-lost',
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const action = { suspendId: await openQuestion(server, taskId), clientActionId: someId(), payload: { kept: true } };
      await through(server, async (proxy) => {
        proxy.impair('down', { stalled: true });
        const lost = act(server, taskId, action, { via: proxy.url }).catch((error: unknown) => error);
        // It has arrived when its fact is there.
        const facts = await ended(server, taskId);
        proxy.reset();
        holds((await lost) instanceof Error, 'the reply was to be lost');
        same(facts.at(-1)?.payload['result'], { answers: [{ actionType: 'yes', payload: { kept: true } }] });
      });
      const again = await act(server, taskId, action);
      same([again.status, again.body.status], [200, 'DEDUPLICATED']);
    },
  },
  {
    id: 'class.create-lost',
    title: 'a create whose reply is lost is the same task when it is sent again',
    rule: 'docs/protocol.md, Requests: Create',
    failureClass: 'answer-or-question-lost',
    async run(server) {
      const json = { clientRequestId: someId(), taskType: 'conformance.echo', input: { n: 1 } };
      await through(server, async (proxy) => {
        proxy.impair('down', { cutAfterBytes: 1 });
        const lost = await call(server, 'POST', '/tasks', { json, via: proxy.url }).catch((error: unknown) => error);
        holds(lost instanceof Error, 'the reply was to be lost');
      });
      const again = await call(server, 'POST', '/tasks', { json });
      same([again.status, again.body['deduplicated']], [200, true]);
      same((await ended(server, String(again.body['taskId']))).length, 2);
    },
  },
  {
    id: 'class.reconnect-storm',
    title:
      'a hundred viewers that lose their connections at once and come back at once all see the whole log, and others are served meanwhile',
    rule: both,
    failureClass: 'storms',
    alone: true,
    limitMs: 60_000,
    async run(server) {
      const taskId = await start(server, 'ask', { steps: 100 });
      const suspendId = await openQuestion(server, taskId);
      await through(server, async (proxy) => {
        const open = (after: string) =>
          Array.from({ length: 100 }, (_, i) => stream(i % 2 === 0 ? 'ws' : 'sse', server, taskId, { via: proxy.url, after }));
        const before = open('0-0');
        await Promise.all(before.map((one) => one.until(({ type }) => type === 'TASK_SUSPENDED', 'the question')));
        const after = present((await log(server, taskId)).at(-1), 'the last fact').eventId;
        proxy.reset();
        const back = open(after).map((one) => later(told(one)));
        await act(server, taskId, { suspendId });
        await within(patienceOf(server), page(server, taskId), 'a poll in the storm');
        const seen = await Promise.all(back);
        const whole = await ended(server, taskId);
        for (const facts of seen) same(facts, whole.slice(2), 'what a viewer saw who came back');
      });
    },
  },
  {
    id: 'class.refresh-storm',
    title: 'two hundred requests with credentials that are over are refused one by one, and the next good one is served',
    rule: 'docs/protocol.md, Errors: 401',
    failureClass: 'storms',
    alone: true,
    async run(server) {
      const taskId = await start(server, 'echo');
      const whole = await ended(server, taskId);
      const refusals = await Promise.all(
        Array.from({ length: 200 }, () => call(server, 'GET', `/tasks/${taskId}/events`, { as: 'nobody' })),
      );
      for (const answer of refusals) refused(answer, 401, 'AUTHENTICATION_ERROR');
      same(await log(server, taskId), whole);
    },
  },
];

/** A promise that is awaited later; its failure is no unhandled one until then. */
function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Runs something with a proxy before the server. */
async function through(server: ServerUnderTest, run: (proxy: ChaosProxy) => Promise<void>): Promise<void> {
  const { hostname, port } = new URL(server.baseUrl);
  const proxy = await chaosProxy({ target: { host: hostname, port: Number(port) } });
  try {
    await run(proxy);
  } finally {
    await proxy.close();
  }
}

/** True for the payload of the last report after an answer. */
function reads(payload: unknown, number: number): boolean {
  return (payload as { stage?: unknown } | undefined)?.stage === `answer ${number}, step 25`;
}

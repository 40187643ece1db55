import type { Case } from '../../suite/case.ts';
import { holds, includes, present, same } from '../../suite/claim.ts';
import { eventually } from '../../suite/eventually.ts';
import { asksToWait, call, ended, endsLog, page, patienceOf, refused, someId, start, typesOf } from '../calls.ts';
import { endedBy, sharedSocket, withoutMultiplex } from '../shared-socket.ts';
import { refusedStream, stream, webSocket, type Stream } from '../streams.ts';
import type { Owner, ServerProfile, ServerUnderTest } from '../server-under-test.ts';

const errors = 'docs/protocol.md, Errors';
const ws = 'docs/protocol.md, WebSocket';
const room = `${ws}: Room`;

/** Says what the profile lacks. */
const needs =
  (name: keyof ServerProfile, most: number) =>
  ({ profile }: ServerUnderTest): string | undefined => {
    const value = profile[name];
    return typeof value === 'number' && value <= most ? undefined : `the profile has no ${name} up to ${most}.`;
  };

/** What is answered where there is no more room, and where the server's own world fails. */
export const limiting: readonly Case<ServerUnderTest>[] = [
  {
    id: 'limits.body',
    title: 'takes a body of exactly its limit, and refuses one byte more with 413, whatever it is for; also one that is still being sent',
    rule: 'docs/protocol.md, Requests: bodies have at most 1 MiB',
    better: true,
    async run(server) {
      const most = server.profile.bodyBytesMax ?? 1024 ** 2;
      const bodyOf = (bytes: number): string => {
        const bare = { clientRequestId: someId(), taskType: 'conformance.echo', input: {}, metadata: { pad: '' } };
        return JSON.stringify({ ...bare, metadata: { pad: 'x'.repeat(bytes - JSON.stringify(bare).length) } });
      };
      same((await call(server, 'POST', '/tasks', { raw: bodyOf(most) })).status, 201, 'the status of a body of exactly the limit');
      const taskId = await start(server, 'wait');
      for (const path of ['/tasks', `/tasks/${taskId}/actions`, `/tasks/${taskId}/cancel`])
        refused(await call(server, 'POST', path, { raw: bodyOf(most + 1) }), 413, 'PAYLOAD_TOO_LARGE');
      refused(await call(server, 'POST', '/tasks', { raw: bodyOf(8 * most) }), 413, 'PAYLOAD_TOO_LARGE');
    },
  },
  {
    id: 'limits.upload',
    title: 'refuses a file over its limit with 400, and makes no task',
    rule: `${errors}: UPLOAD_VALIDATION_ERROR`,
    missing: needs('uploadBytesMax', 10 * 1024 ** 2),
    async run(server) {
      const { uploadBytesMax = 0 } = server.profile;
      const clientRequestId = someId();
      const send = (bytes: number) => {
        const form = new FormData();
        form.set('clientRequestId', clientRequestId);
        form.set('taskType', 'conformance.echo');
        form.set('input', '{}');
        form.set('attachments', new Blob(['x'.repeat(bytes)], { type: 'text/plain' }), 'a.txt');
        return call(server, 'POST', '/tasks', { raw: form });
      };
      refused(await send(uploadBytesMax + 1), 400, 'UPLOAD_VALIDATION_ERROR');
      same((await send(uploadBytesMax)).status, 201, 'the status of a file of exactly the limit');
    },
  },
  {
    id: 'ws.frame-too-large',
    title: 'closes with 1009 for a frame over its limit',
    rule: `${ws}: one that is too large with 1009`,
    better: true,
    async run(server) {
      const opened = webSocket(server, ['x'.repeat((server.profile.clientFrameBytesMax ?? 64 * 1024) + 1)]);
      same([await opened.end, opened.frames], [{ how: 'ended', code: 1009 }, []]);
    },
  },
  {
    id: 'ws.never-subscribes',
    title: 'closes with 1000 a socket that does not subscribe in time, and no sooner: its frame may be on its way',
    rule: `${ws}: a socket that does not subscribe in time`,
    better: true,
    missing: needs('subscribeMs', 5000),
    async run(server) {
      const since = performance.now();
      const opened = webSocket(server, []);
      same([await opened.end, opened.frames], [{ how: 'ended', code: 1000 }, []]);
      const waited = performance.now() - since;
      const { subscribeMs = 0 } = server.profile;
      holds(waited > subscribeMs * 0.9, `it was to wait ${subscribeMs} ms, and waited ${Math.round(waited)} ms`);
    },
  },
  {
    id: 'limits.sockets',
    title:
      'answers 429 with Retry-After to the upgrade that is one too many for its owner, serves others, and has room again when one is gone',
    rule: `${ws}: too many sockets`,
    better: true,
    failureClass: 'storms',
    alone: true,
    missing: needs('socketsPerOwnerMax', 1000),
    async run(server) {
      const { socketsPerOwnerMax = 0 } = server.profile;
      const taskId = await start(server, 'wait', {}, { as: 'two' });
      const open = (): Stream => stream('ws', server, taskId, { as: 'two' });
      const held = Array.from({ length: socketsPerOwnerMax }, open);
      try {
        await Promise.all(held.map((one) => one.until(() => true, 'the confirmation')));
        asksToWait(await refusedStream(open(), 429, 'RATE_LIMITED'));
        const other = stream('ws', server, await start(server, 'echo'));
        await other.until(endsLog, 'the end of a task of somebody else');
        present(held.pop(), 'a socket').close();
        await eventually(() => open().until(() => true, 'the confirmation'), patienceOf(server));
      } finally {
        for (const one of held) one.close();
      }
    },
  },
  {
    id: 'limits.viewers-per-owner',
    title: 'answers 429 with Retry-After to the viewer that is one too many for its owner, over every transport, and serves others',
    rule: room,
    better: true,
    failureClass: 'storms',
    alone: true,
    missing: needs('viewersPerOwnerMax', 1000),
    async run(server) {
      const held = await hold(server, server.profile.viewersPerOwnerMax ?? 0, ['two']);
      try {
        await isFull(server, held.tasks.two, 'two');
        const other = stream('sse', server, await start(server, 'echo'));
        await other.until(endsLog, 'the end of a task of somebody else');
      } finally {
        held.close();
      }
    },
  },
  {
    id: 'limits.viewers',
    title:
      'answers 429 with Retry-After where it has as many viewers as it may, over every transport, and has room again when they are gone',
    rule: room,
    better: true,
    failureClass: 'storms',
    alone: true,
    missing: needs('viewersMax', 1000),
    async run(server) {
      const shared = (await withoutMultiplex(server)) === undefined ? await sharedSocket(server) : undefined;
      // One that shows nothing would be closed before it is asked again.
      shared?.subscribe(await start(server, 'wait'));
      const held = await hold(server, server.profile.viewersMax ?? 0, ['one', 'two']);
      const taskId = held.tasks.one;
      try {
        for (const owner of ['one', 'two'] as const) await isFull(server, held.tasks[owner], owner);
        shared?.subscribe(taskId);
        if (shared) same(await shared.ends(taskId), [1013], 'how a subscription ends on a socket that is open already');
        same(shared?.shortOf(taskId), shared && [endedBy(1013)], 'the frames of that subscription');
      } finally {
        held.close();
        shared?.close();
      }
      const later = await eventually(async () => {
        const opened = stream('ws', server, taskId);
        await opened.until(() => true, 'the confirmation');
        return opened;
      }, patienceOf(server));
      later.close();
    },
  },
  {
    id: 'create.refused',
    title: 'answers 503 with the task id where the executor refuses the work, and writes that it has failed, once',
    rule: 'docs/protocol.md, Requests: Create, TASK_SUBMISSION_ERROR',
    better: true,
    missing: ({ profile }) => (profile.refusedType === undefined ? 'the profile has no refusedType.' : undefined),
    async run(server) {
      const json = { clientRequestId: someId(), taskType: server.profile.refusedType, input: {} };
      const first = await call<{ details: { taskId: string } }>(server, 'POST', '/tasks', { json });
      refused(first, 503, 'TASK_SUBMISSION_ERROR');
      const { taskId } = first.body.details;
      same(typesOf(await ended(server, taskId)), ['FAILED']);
      const again = await call(server, 'POST', '/tasks', { json });
      same(again.status, 200, 'the status of the same request again');
      includes(again.body, { taskId, status: 'FAILED', deduplicated: true });
    },
  },
  {
    id: 'store.lost',
    title: 'answers 503 STORE_UNAVAILABLE while its store is out of reach, is not ready but alive, and loses nothing when it is back',
    rule: `${errors}: STORE_UNAVAILABLE; GET /health, GET /ready`,
    better: true,
    failureClass: 'answer-or-question-lost',
    alone: true,
    limitMs: 40_000,
    missing: ({ loseStore }) => (loseStore ? undefined : 'the world cannot lose its store (loseStore).'),
    async run(server) {
      const taskId = await start(server, 'ask', {});
      const watching = [stream('ws', server, taskId), stream('sse', server, taskId)];
      const asked = await Promise.all(watching.map((one) => one.until(({ type }) => type === 'TASK_SUSPENDED', 'the question')));
      const suspendId = String(asked[0]?.payload?.['suspendId']);
      const json = { clientRequestId: someId(), taskType: 'conformance.echo', input: {} };
      const action = { clientActionId: someId(), suspendId, actionType: 'yes' };
      const answer = () => call(server, 'POST', `/tasks/${taskId}/actions`, { json: action });
      const findStore = await present(server.loseStore, 'loseStore')();
      // A server may wait for its store for a while, and take it then.
      const early = answer();
      try {
        const answers = await Promise.all([
          call(server, 'POST', '/tasks', { json }),
          call(server, 'GET', `/tasks/${taskId}/events?waitTimeoutMs=0`),
        ]);
        for (const one of answers) refused(one, 503, 'STORE_UNAVAILABLE');
        const [health, ready] = [await call(server, 'GET', '//health'), await call(server, 'GET', '//ready')];
        same([health.status, ready.status, ready.body['status']], [200, 503, 'not_ready'], '/health, /ready and what it says');
      } finally {
        await findStore();
      }
      const first = await early;
      if (first.status !== 202) refused(first, 503, 'STORE_UNAVAILABLE');
      const [created, answered] = [await call(server, 'POST', '/tasks', { json }), await answer()];
      holds([200, 201].includes(created.status), `the create was to be taken afterwards, and was answered ${created.status}`);
      holds(['ACCEPTED', 'DEDUPLICATED'].includes(String(answered.body['status'])), 'the answer was to be taken afterwards');
      const whole = await ended(server, taskId);
      same(typesOf(whole), ['STARTED', 'SUSPENDED', 'ACTION_ACCEPTED', 'COMPLETED']);
      for (const one of watching) {
        const last = present(one.facts.at(-1), 'a fact').eventId;
        const { how } = await Promise.race([one.end, one.until(endsLog, 'the end').then(() => ({ how: 'told' }) as const)]);
        // Cut or kept, that is the server's choice; what came is one run either way.
        holds(how !== 'ended' || endsLog(present(one.facts.at(-1), 'a fact')), `a stream was ended properly after ${last}`);
        same(one.facts, whole.slice(0, one.facts.length), 'what the stream has brought');
        one.close();
      }
      same(typesOf(await ended(server, String(created.body['taskId']))), ['STARTED', 'COMPLETED']);
    },
  },
];

/** Has so many event streams open for a waiting task of each of these owners, in turn. */
async function hold(server: ServerUnderTest, count: number, owners: readonly Owner[]) {
  const tasks = { one: '', two: '' };
  for (const owner of owners) tasks[owner] = await start(server, 'wait', {}, { as: owner });
  const streams = Array.from({ length: count }, (_, i) => {
    const as = present(owners[i % owners.length], 'an owner');
    return stream('sse', server, tasks[as], { as });
  });
  // Whoever is refused among these is so because somebody of an earlier case is not gone yet.
  await Promise.all(streams.map((one) => one.until(() => true, 'a first frame').catch(() => undefined)));
  return { tasks, close: () => streams.forEach((one) => one.close()) };
}

/** Proves that one more viewer of this owner finds no room, whatever it comes by. */
async function isFull(server: ServerUnderTest, taskId: string, as: Owner): Promise<void> {
  asksToWait(await refusedStream(stream('sse', server, taskId, { as }), 429, 'RATE_LIMITED'));
  asksToWait(await refusedStream(stream('ws', server, taskId, { as }), 429, 'RATE_LIMITED'));
  const facts = await eventually(async () => {
    const { events } = await page(server, taskId, '', { as });
    holds(typesOf(events).includes('PROGRESS'), 'the task was to report that it waits');
    return events;
  }, patienceOf(server));
  const query = `?afterEventId=${present(facts.at(-1), 'its report').eventId}&waitTimeoutMs=5000`;
  const poll = await call(server, 'GET', `/tasks/${taskId}/events${query}`, { as });
  refused(poll, 429, 'RATE_LIMITED');
  asksToWait(poll);
}

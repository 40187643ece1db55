import type { Case } from '../../suite/case.ts';
import { holds, includes, present, same, says } from '../../suite/claim.ts';
import { act, call, ended, endsLog, log, openQuestion, refused, start } from '../calls.ts';
import { lives, stream, told, webSocket } from '../streams.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const ws = 'docs/protocol.md, WebSocket';
const sse = 'docs/protocol.md, Server-sent events';
const UNKNOWN = '0123456789abcdef0123456789abcdef';

/** What the two streams mean. */
export const streaming: readonly Case<ServerUnderTest>[] = [
  ...lives.map((kind): Case<ServerUnderTest> => ({
    id: `${kind}.live`,
    title: 'delivers the facts of a task from before its beginning to its end, as they are in the log',
    rule: kind === 'ws' ? ws : sse,
    async run(server) {
      const taskId = await start(server, 'steps', { count: 100 });
      const facts = await told(stream(kind, server, taskId));
      same(facts, await ended(server, taskId));
    },
  })),
  {
    id: 'ws.confirmation',
    title: 'confirms at once, with the cursor as it was sent and null for none',
    rule: ws,
    async run(server) {
      const taskId = await start(server, 'wait');
      for (const [after, sent] of [
        [undefined, null],
        ['0-0', '0-0'],
      ] as const) {
        const opened = stream('ws', server, taskId, after === undefined ? {} : { after });
        const first = await opened.until(() => true, 'the first frame');
        opened.close();
        same(first, { type: 'SUBSCRIPTION_CONFIRMED', taskId, replayStartedAfterEventId: sent, live: true });
      }
    },
  },
  {
    id: 'ws.close-after-the-end',
    title: 'closes with 1000 after the terminal fact',
    rule: ws,
    failureClass: 'end-or-cut',
    async run(server) {
      const opened = stream('ws', server, await start(server, 'steps', { count: 5 }));
      await opened.until(endsLog, 'the terminal fact');
      same(await opened.end, { how: 'ended', code: 1000 });
      holds(endsLog(present(opened.frames.at(-1), 'the last frame')), 'something followed the terminal fact');
    },
  },
  {
    id: 'ws.close-at-the-end',
    title: 'confirms and closes with 1000 where the cursor is at the end',
    rule: ws,
    better: true,
    failureClass: 'end-or-cut',
    limitMs: 5000,
    async run(server) {
      const taskId = await start(server, 'echo');
      const after = present((await ended(server, taskId)).at(-1), 'the last fact').eventId;
      const opened = stream('ws', server, taskId, { after });
      same(await opened.end, { how: 'ended', code: 1000 });
      same(
        opened.frames.map(({ type }) => type),
        ['SUBSCRIPTION_CONFIRMED'],
      );
    },
  },
  {
    id: 'sse.end-after-the-end',
    title: 'ends the body properly after the terminal fact, and has nothing more where the cursor is at it',
    rule: sse,
    better: true,
    failureClass: 'end-or-cut',
    limitMs: 5000,
    async run(server) {
      const taskId = await start(server, 'steps', { count: 5 });
      const opened = stream('sse', server, taskId);
      await opened.until(endsLog, 'the terminal fact');
      same(await opened.end, { how: 'ended' });
      holds(endsLog(present(opened.frames.at(-1), 'the last frame')), 'something followed the terminal fact');
      const after = present(opened.facts.at(-1), 'the terminal fact').eventId;
      const again = stream('sse', server, taskId, { after });
      // What a browser's own `EventSource` does not come back from.
      const { code } = await again.end;
      same([code, again.facts], [204, []]);
    },
  },
  {
    id: 'ws.unknown-task',
    title: 'closes with 1008 without a confirmation for a task that is unknown or of somebody else, alike',
    rule: ws,
    async run(server) {
      const foreign = await start(server, 'wait', {}, { as: 'two' });
      for (const taskId of [UNKNOWN, foreign]) {
        const opened = stream('ws', server, taskId);
        same([await opened.end, opened.frames], [{ how: 'ended', code: 1008 }, []]);
      }
    },
  },
  {
    id: 'sse.unknown-task',
    title: 'refuses before the stream begins: a task that is unknown or of somebody else is a 404',
    rule: sse,
    better: true,
    async run(server) {
      const foreign = await start(server, 'wait', {}, { as: 'two' });
      for (const taskId of [UNKNOWN, foreign]) refused(await call(server, 'GET', `/tasks/${taskId}/events/stream`), 404, 'TASK_NOT_FOUND');
    },
  },
  ...(
    [
      ['no-json', 'no JSON', '{"action":'],
      ['no-subscribe', 'another action', { action: 'unsubscribe', taskId: UNKNOWN }],
      ['no-task', 'no task', { action: 'subscribe' }],
      ['unknown-field', 'an unknown field', { action: 'subscribe', taskId: UNKNOWN, surprise: 1 }],
    ] as const
  ).map(([name, what, frame]): Case<ServerUnderTest> => ({
    id: `ws.frame-${name}`,
    title: `closes with 1008 for a first frame with ${what}`,
    rule: `${ws}: a bad frame`,
    async run(server) {
      const opened = webSocket(server, [frame]);
      same([await opened.end, opened.frames], [{ how: 'ended', code: 1008 }, []]);
    },
  })),
  {
    id: 'ws.later-frames',
    title: 'ignores what is sent after the first frame where many tasks were not asked for, and closes with 1000 after the end of the one',
    rule: `${ws}: later frames of the client are ignored`,
    failureClass: 'end-or-cut',
    async run(server) {
      const [taskId, other] = [await start(server, 'ask', {}), await start(server, 'wait')];
      const opened = webSocket(server, [
        { action: 'subscribe', taskId },
        { action: 'subscribe', taskId: other },
        { action: 'unsubscribe', taskId },
      ]);
      await opened.until(({ type }) => type === 'TASK_SUSPENDED', 'the question');
      await act(server, taskId, { suspendId: await openQuestion(server, taskId) });
      same(await opened.end, { how: 'ended', code: 1000 });
      same(opened.facts, await log(server, taskId), 'the facts that came');
    },
  },
  {
    id: 'ws.frame-binary',
    title: 'closes with 1003 for a binary frame',
    rule: ws,
    better: true,
    async run(server) {
      same(await webSocket(server, [Buffer.from([1, 2, 3])]).end, { how: 'ended', code: 1003 });
    },
  },
  {
    id: 'ws.heartbeat',
    title: 'sends heartbeats on an idle WebSocket',
    rule: ws,
    async run(server) {
      const taskId = await start(server, 'wait');
      const opened = stream('ws', server, taskId);
      await opened.until(({ type }) => type === 'TASK_PROGRESS', 'the fact before the silence');
      const beat = await opened.until(
        ({ type }) => type === 'HEARTBEAT',
        `a heartbeat within ${server.profile.heartbeatMs} ms and the patience`,
      );
      opened.close();
      same(beat, { type: 'HEARTBEAT', taskId, live: true });
    },
  },
  {
    id: 'sse.form',
    title: 'is an event stream that nobody buffers or caches: ids with facts, no event names, one line of data',
    rule: sse,
    async run(server) {
      const taskId = await start(server, 'steps', { count: 3 });
      const opened = stream('sse', server, taskId);
      const facts = await told(opened);
      says(opened.headers?.get('content-type') ?? '', /^text\/event-stream/, 'content-type');
      says(opened.headers?.get('cache-control') ?? '', 'no-cache', 'cache-control');
      same(opened.headers?.get('x-accel-buffering'), 'no', 'x-accel-buffering');
      const sent = opened.messages.filter(({ data }) => data.includes('"TASK_'));
      same(
        sent.map(({ id, event, data }) => [id, event, data.includes('\n')]),
        facts.map(({ eventId }) => [eventId, undefined, false]),
      );
    },
  },
  {
    id: 'sse.heartbeat',
    title: 'sends heartbeats on an idle stream: data frames without an id, in the five-field shape',
    rule: sse,
    async run(server) {
      const taskId = await start(server, 'wait');
      const opened = stream('sse', server, taskId);
      const beat = await opened.until(({ type }) => type === 'HEARTBEAT', 'a heartbeat');
      opened.close();
      same(Object.keys(beat).sort(), ['createdAt', 'eventId', 'payload', 'taskId', 'type']);
      includes(beat, { taskId, payload: { live: true } });
      const message = present(
        opened.messages.find(({ data }) => data.includes('HEARTBEAT')),
        'the message of the heartbeat',
      );
      same(message.id, undefined, 'the id of a heartbeat, which would move the cursor');
    },
  },
  {
    id: 'sse.speaks-at-once',
    title: 'sends a heartbeat at once, so that a mute proxy shows',
    rule: sse,
    better: true,
    async run(server) {
      const taskId = await start(server, 'wait');
      const facts = stream('sse', server, taskId);
      await facts.until(({ type }) => type === 'TASK_PROGRESS', 'the fact before the silence');
      facts.close();
      // Facts are there by now: what comes before them is no heartbeat of a server that had nothing to say.
      const opened = stream('sse', server, taskId);
      const first = await opened.until(() => true, 'the first frame');
      opened.close();
      same(first.type, 'HEARTBEAT');
    },
  },
  {
    id: 'sse.cursor-in-the-query',
    title: 'takes the cursor from the query too, and the header before it',
    rule: sse,
    better: true,
    async run(server) {
      const taskId = await start(server, 'steps', { count: 5 });
      const whole = await ended(server, taskId);
      const [second, fourth] = [present(whole[1], 'the second fact').eventId, present(whole[3], 'the fourth fact').eventId];
      const query = `?lastEventId=${second}`;
      same(await told(stream('sse', server, taskId, { query })), whole.slice(2));
      same(await told(stream('sse', server, taskId, { query, after: fourth })), whole.slice(4));
    },
  },
  {
    id: 'extensions.granted',
    title: 'grants the extension that is asked for in the query, and says so in the confirmation and the first heartbeat',
    rule: 'docs/protocol.md, Extensions',
    better: true,
    async run(server) {
      const taskId = await start(server, 'wait');
      const query = '?extensions=gap,unheard-of';
      const socket = stream('ws', server, taskId, { query });
      includes(await socket.until(() => true, 'the confirmation'), { type: 'SUBSCRIPTION_CONFIRMED', extensions: ['gap'] });
      socket.close();
      const events = stream('sse', server, taskId, { query });
      includes(await events.until(() => true, 'the first heartbeat'), { type: 'HEARTBEAT', payload: { extensions: ['gap'] } });
      events.close();
    },
  },
];

import type { Case } from '../../suite/case.ts';
import { holds, includes, present, same } from '../../suite/claim.ts';
import { act, call, ended, idsOf, log, openQuestion, refused, start } from '../calls.ts';
import { isFactFrame, sharedStream, type Frame, type Stream } from '../streams.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

const rule = 'docs/protocol.md, Many tasks over one stream';
const UNKNOWN = '0123456789abcdef0123456789abcdef';
const ENDED = 'SUBSCRIPTION_ENDED';
const asked = new WeakMap<ServerUnderTest, Promise<string | undefined>>();

/** Says what is missing where the server has no such streams: it is asked once. */
function withoutSharedStreams(server: ServerUnderTest): Promise<string | undefined> {
  const ask = async (): Promise<string | undefined> => {
    // What it lacks is the set of tasks, where there is such a route.
    const { status } = await call(server, 'GET', '/tasks/events/stream');
    return status === 422 ? undefined : 'the server has no stream of many tasks.';
  };
  const answer = asked.get(server) ?? ask();
  asked.set(server, answer);
  return answer;
}

/** A case about a stream of many tasks, for servers that have such. */
const about = (one: Omit<Case<ServerUnderTest>, 'rule' | 'better' | 'missing'>): Case<ServerUnderTest> => ({
  ...one,
  rule,
  better: true,
  missing: withoutSharedStreams,
});

const of = ({ frames }: Stream, taskId: string): Frame[] => frames.filter((frame) => frame.taskId === taskId);
const from = (tasks: readonly string[], cursor = ''): Record<string, string> => Object.fromEntries(tasks.map((taskId) => [taskId, cursor]));
const short = (frames: readonly Frame[]): unknown[] =>
  frames.filter(({ type }) => type !== 'HEARTBEAT').map(({ type, eventId, code }) => (type === ENDED ? code : eventId));

/** What one stream of many tasks means. */
export const sharingStreams: readonly Case<ServerUnderTest>[] = [
  about({
    id: 'shared-stream.many',
    title: 'brings ten tasks whole and in order among each other, without ids, each with one end by 1000, and ends after the last',
    failureClass: 'seam',
    async run(server) {
      const tasks = await Promise.all(Array.from({ length: 10 }, () => start(server, 'ask', { steps: 20 })));
      const opened = sharedStream(server, from(tasks));
      for (const taskId of tasks) await act(server, taskId, { suspendId: await openQuestion(server, taskId) });
      same(await opened.end, { how: 'ended' });
      same(opened.frames[0], { type: 'EXTENSIONS_GRANTED', extensions: ['gap', 'multiplex'] });
      for (const taskId of tasks) {
        same(of(opened, taskId)[0]?.type, 'HEARTBEAT', 'the first frame of a task');
        includes(of(opened, taskId)[0]?.['payload'], { live: true, extensions: ['gap', 'multiplex'] });
        same(short(of(opened, taskId)), [...idsOf(await ended(server, taskId)), 1000], `what came for ${taskId}`);
      }
      same(
        opened.messages.filter(({ id }) => id !== undefined),
        [],
        'the messages with an id, which would be a cursor of one task for all',
      );
    },
  }),
  about({
    id: 'shared-stream.cursors',
    title: 'goes on in each task after the cursor of its own, and ends one at once that is at its end',
    failureClass: 'duplicates-on-replay',
    async run(server) {
      const [some, none, all] = await Promise.all([1, 2, 3].map(() => start(server, 'steps', { count: 5 })));
      const tasks = [some, none, all].map((taskId) => present(taskId, 'a task'));
      const logs = await Promise.all(tasks.map(async (taskId) => idsOf(await ended(server, taskId))));
      const cursors = [logs[0]?.[2], '0-0', logs[2]?.at(-1)].map((cursor) => present(cursor, 'a cursor'));
      const opened = sharedStream(server, Object.fromEntries(tasks.map((taskId, i) => [taskId, cursors[i] ?? ''])));
      same(await opened.end, { how: 'ended' });
      same(
        tasks.map((taskId) => short(of(opened, taskId))),
        [[...(logs[0]?.slice(3) ?? []), 1000], [...(logs[1] ?? []), 1000], [1000]],
      );
    },
  }),
  about({
    id: 'shared-stream.refused',
    title: 'ends with 1008 what is unknown, of somebody else (alike) or has a bad cursor, and shows the others',
    async run(server) {
      const [good, bad] = [await start(server, 'wait'), await start(server, 'wait')];
      const foreign = await start(server, 'wait', {}, { as: 'two' });
      const opened = sharedStream(server, { [UNKNOWN]: '', [foreign]: '', [bad]: '$', [good]: '' });
      await opened.until(({ type, taskId }) => type === 'TASK_PROGRESS' && taskId === good, 'the report of the good one');
      opened.close();
      for (const taskId of [UNKNOWN, foreign, bad]) same(short(of(opened, taskId)), [1008], `what came for ${taskId}`);
      same(of(opened, UNKNOWN)[0]?.['reason'], of(opened, foreign)[0]?.['reason'], 'what is said of the two');
    },
  }),
  about({
    id: 'shared-stream.set',
    title: 'refuses with 422 what is no set: none, 65 tasks, one twice, one without its @',
    async run(server) {
      const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `${UNKNOWN.slice(4)}${String(i).padStart(4, '0')}`);
      const one = await start(server, 'wait');
      const set = (items: readonly string[]): string => `/tasks/events/stream?tasks=${encodeURIComponent(items.join(','))}`;
      for (const items of [[], ids(65).map((id) => `${id}@`), [`${one}@`, `${one}@0-0`], [one], ['@']])
        refused(await call(server, 'GET', set(items)), 422, 'REQUEST_VALIDATION_ERROR');
      const most = sharedStream(server, from([...ids(63), one]));
      await most.until(({ type, taskId }) => type === 'TASK_PROGRESS' && taskId === one, 'the report of the 64th');
      most.close();
    },
  }),
  about({
    id: 'shared-stream.another-set',
    title: 'shows another set on another stream before the first one is closed, and loses and repeats nothing from the cursor on',
    failureClass: 'second-drop',
    async run(server) {
      const [first, second] = [await start(server, 'ask', { steps: 20 }), await start(server, 'ask', { steps: 20 })];
      const before = sharedStream(server, from([first]));
      const question = await before.until(({ type }) => type === 'TASK_SUSPENDED', 'the question');
      const after = sharedStream(server, { [first]: present(question.eventId, 'its id'), [second]: '' });
      await after.until(({ type, taskId }) => type === 'HEARTBEAT' && taskId === first, 'the first word of the new stream');
      before.close();
      for (const taskId of [first, second]) await act(server, taskId, { suspendId: await openQuestion(server, taskId) });
      same(await after.end, { how: 'ended' });
      const whole = idsOf(await ended(server, first));
      const known = idsOf(of(before, first).filter(isFactFrame));
      same([...known, ...short(of(after, first))], [...whole, 1000], 'both streams of the first task together');
      same(short(of(after, second)), [...idsOf(await ended(server, second)), 1000], 'the second task');
    },
  }),
  about({
    id: 'shared-stream.heartbeats',
    title: 'sends each quiet task its own heartbeats, in the five-field shape',
    async run(server) {
      const tasks = [await start(server, 'wait'), await start(server, 'wait')];
      const opened = sharedStream(server, from(tasks));
      const beats = (taskId: string): Frame[] => of(opened, taskId).filter(({ type }) => type === 'HEARTBEAT');
      for (const taskId of tasks) await opened.until(() => beats(taskId).length > 2, 'the second heartbeat after the first word');
      opened.close();
      same(Object.keys(beats(tasks[0] ?? '')[1] ?? {}).sort(), ['createdAt', 'eventId', 'payload', 'taskId', 'type']);
    },
  }),
  about({
    id: 'shared-stream.gap',
    title: 'says of the task that it is about that facts are gone, and goes on from the first that is kept',
    failureClass: 'cursor-not-resumable',
    async run(server) {
      const [trimmed, whole] = [await start(server, 'steps', { count: server.profile.trimmedFromFacts }), await start(server, 'echo')];
      for (const taskId of [trimmed, whole]) await ended(server, taskId);
      const kept = await log(server, trimmed);
      const old = `1-${present(kept[0], 'the first fact that is kept').eventId.split('-')[1]}`;
      const opened = sharedStream(server, { [trimmed]: old, [whole]: '' });
      same(await opened.end, { how: 'ended' });
      const gaps = opened.frames.filter(({ type }) => type === 'GAP');
      same(
        gaps.map(({ taskId }) => taskId),
        [trimmed],
      );
      includes(gaps[0]?.['payload'], { firstEventId: kept[0]?.eventId });
      holds(idsOf(of(opened, trimmed).filter(isFactFrame)).join() === idsOf(kept).join(), 'what came is not what is kept');
    },
  }),
];

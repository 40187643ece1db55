import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { liveHost, watchByWebSocket, type Host } from '../live/host.ts';
import { taskLog, type TaskLog } from '../live/task-log.ts';
import { CONFIRMED, openRawClient } from './raw-client.ts';
import { patience } from '../support/patience.ts';

let host: Host;
beforeEach(async () => void (host = await liveHost({ live: { tasksPerSocketMax: 4 } })));

const TASKS = 5;
const task = fc.nat(TASKS - 1);
const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), task, from: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), task }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('bad cursor' as const), task }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unknown' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), task, count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), task }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
);
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;
const UNKNOWN = 'f'.repeat(32);

/** What one subscription may bring: nothing but a refusal, or a confirmation and the facts after its cursor, dense. */
function isSound(words: readonly string[], cursor: number, ids: readonly string[]): boolean {
  if (words.length === 0) return true;
  const [first, ...facts] = words;
  return first === CONFIRMED && facts.every((id, i) => id === ids[Math.min(cursor, ids.length) + i]);
}

describe('any order of frames and facts', () => {
  test(
    'brings every subscription its facts, dense, and exactly one end, after which nothing of it comes',
    { timeout: patience(120_000) },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 60 }), async (acts) => {
          const tasks = await Promise.all(Array.from({ length: TASKS }, () => taskLog(host.store)));
          for (const one of tasks) await one.append(3);
          const over = new Set<TaskLog>();
          const cursors = new Map<string, number[]>([...tasks.map(({ taskId }): [string, number[]] => [taskId, []]), [UNKNOWN, []]]);
          const client = await openRawClient(host);
          const taskOf = (index: number): TaskLog => tasks[index] ?? (tasks[0] as TaskLog);

          async function perform(one: Act): Promise<void> {
            if (one.kind === 'turn') return new Promise((resolve) => setImmediate(resolve));
            if (one.kind === 'unknown') {
              cursors.get(UNKNOWN)?.push(0);
              return client.subscribe(UNKNOWN);
            }
            const log = taskOf(one.task);
            if (one.kind === 'subscribe') {
              // A cursor in the log: none beyond its end, which would be a gap.
              const from = Math.min(one.from, log.ids.length);
              cursors.get(log.taskId)?.push(from);
              client.subscribe(log.taskId, log.ids[from - 1]);
            } else if (one.kind === 'bad cursor') {
              cursors.get(log.taskId)?.push(0);
              client.subscribe(log.taskId, '$');
            } else if (one.kind === 'unsubscribe') client.unsubscribe(log.taskId);
            else if (over.has(log)) return;
            else if (one.kind === 'append') await log.append(one.count);
            else {
              over.add(log);
              await log.end();
            }
          }
          for (const one of acts) await perform(one);
          for (const { taskId } of tasks) client.unsubscribe(taskId);
          const asked = [...cursors.values()].flat().length;
          await vi.waitFor(() => expect(client.frames.filter(({ code }) => code !== undefined)).toHaveLength(asked));
          expect(host.hub.viewers).toBe(0);
          for (const [taskId, from] of cursors) {
            const words = client.of(taskId);
            const ids = tasks.find((one) => one.taskId === taskId)?.ids ?? [];
            for (const cursor of from) {
              const end = words.findIndex((word) => word.startsWith('SUBSCRIPTION_ENDED'));
              const mine = words.splice(0, end + 1).slice(0, -1);
              expect([mine, isSound(mine, cursor, ids)]).toEqual([mine, true]);
            }
            expect(words).toEqual([]);
          }
          client.ws.terminate();
        }),
        { numRuns: 80 },
      );
    },
  );

  test(
    'is taken from anybody: whatever a client sends, it is answered or closed for, and nobody else notices',
    { timeout: patience(120_000) },
    async () => {
      const log = await taskLog(host.store);
      const single = watchByWebSocket(host, log.taskId, undefined, '?extensions=multiplex');
      await vi.waitFor(() => expect(single.control).toHaveLength(2));
      const frame = fc.oneof(
        fc.string(),
        fc.json(),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc
          .record(
            {
              action: fc.constantFrom('subscribe', 'unsubscribe', 'pause', '', null),
              taskId: fc.oneof(fc.string(), fc.constantFrom(UNKNOWN, '__proto__', 'constructor', null, 7)),
              lastEventId: fc.oneof(fc.string(), fc.constantFrom('1-1', '0-0', null, {})),
              more: fc.jsonValue(),
            },
            { requiredKeys: [] },
          )
          .map((value) => JSON.stringify(value)),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(frame, { maxLength: 10 }), async (frames) => {
          const client = await openRawClient(host);
          for (const one of frames) client.ws.send(one);
          client.ws.send('over');
          expect([1003, 1008]).toContain(await client.closed);
          for (const { type, code } of client.frames)
            expect([type, [1000, 1008, 1013].includes(code ?? 0)]).toEqual(['SUBSCRIPTION_ENDED', true]);
        }),
        { numRuns: 150 },
      );
      await log.append(1);
      await log.end();
      await vi.waitFor(() => expect(single.ids).toEqual(log.ids));
      single.ws.terminate();
      await vi.waitFor(() => expect([host.hub.viewers, host.hub.topics, host.door.sockets]).toEqual([0, 0, 0]));
    },
  );
});

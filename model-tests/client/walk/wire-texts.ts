import { aggregateFromSnapshot, storeAggregate } from 'taskbridge/machines';
import type { Change, WalkState } from './walk-state.ts';

/** More than may wait for a slow consumer. */
const FULL = 'x'.repeat(13_000);

export const TASK = 'task-1';
export const envelope = (n: number, type: string, payload: object): string =>
  JSON.stringify({ type, taskId: TASK, eventId: `${n}-1000`, createdAt: '2026-01-01T00:00:00Z', payload });
export const factAfter = ({ cursor }: WalkState): string => envelope(cursor + 1, 'TASK_PROGRESS', { progress: 1 });
export const bulkAfter = ({ cursor }: WalkState): string => envelope(cursor + 1, 'TASK_MESSAGE', { message: FULL });
export const endAfter = ({ cursor }: WalkState): string => envelope(cursor + 1, 'TASK_COMPLETED', { result: 'all' });
export const bulkEndAfter = ({ cursor }: WalkState): string => envelope(cursor + 1, 'TASK_COMPLETED', { result: FULL });
export const gap = (reason: string): string => JSON.stringify({ type: 'GAP', taskId: TASK, reason, firstEventId: '1-1000' });
export const malformedTexts = [
  'no json',
  '[]',
  JSON.stringify({ type: 'TASK_PROGRESS', taskId: 'another', eventId: '1-1', createdAt: '', payload: {} }),
  JSON.stringify({ type: 'TASK_PROGRESS', taskId: TASK, payload: {} }),
  JSON.stringify({ type: 'GAP', taskId: TASK }),
];
export const moved = (state: WalkState): Change => ({ cursor: state.cursor + 1 });
/** A frame by which a server says that its ids count without holes. */
export const denseText = (operation: 'ws' | 'sse'): string =>
  operation === 'ws'
    ? JSON.stringify({ type: 'SUBSCRIPTION_CONFIRMED', taskId: TASK, live: true, extensions: ['gap'] })
    : JSON.stringify({ type: 'HEARTBEAT', taskId: TASK, payload: { live: true, extensions: ['gap'] } });

/** What a snapshot says, by its status and cursor. */
export const snapshotBody = (status: string, lastEventId: string | null): string =>
  JSON.stringify({ taskId: TASK, status, state: status.toLowerCase(), lastEventId });

/** A checkpoint of the first fact, with the task as it was by then: nobody has to ask for that. */
export const checkpointText = JSON.stringify({
  v: 1,
  eventId: '1-1000',
  task: storeAggregate(
    aggregateFromSnapshot({
      taskId: TASK,
      taskType: 't',
      clientRequestId: 'c-1',
      status: 'RUNNING',
      state: 'running',
      progress: null,
      suspensions: [],
      firstEventId: '1-1000',
      lastEventId: '1-1000',
      createdAt: '2026-01-01T00:00:00Z',
      updatedAt: '2026-01-01T00:00:00Z',
    }),
  ),
  taskEventId: '1-1000',
});

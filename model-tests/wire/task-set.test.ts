import { describe, expect, it } from 'vitest';
import { readTaskSet, STREAM_TASKS_MAX, taskSetText, type TaskCursor } from '../../machines/routes/index.ts';

describe('a set of tasks', () => {
  it('is read as it was written, an id with an @ in it too', () => {
    const set: readonly TaskCursor[] = [
      { taskId: 'a', cursor: null },
      { taskId: 'b', cursor: '12-1790000000000' },
      { taskId: 'c@d', cursor: '1-2' },
    ];
    expect(taskSetText(set)).toBe('a@,b@12-1790000000000,c@d@1-2');
    expect(readTaskSet(taskSetText(set))).toEqual(set);
  });

  it('takes both ways to say from the start, and leaves a bad cursor to whoever shows the task', () => {
    expect(readTaskSet('a@0-0,b@,c@$')).toEqual([
      { taskId: 'a', cursor: null },
      { taskId: 'b', cursor: null },
      { taskId: 'c', cursor: '$' },
    ]);
  });

  it.each(['', 'a', '@', '@1-2', 'a@,', ',a@', 'a@,b', 'a@,a@1-2'])('is none: %j', (text) => {
    expect(readTaskSet(text)).toBeUndefined();
  });

  it(`has at most ${STREAM_TASKS_MAX}`, () => {
    const text = (count: number): string => Array.from({ length: count }, (_, i) => `t${i}@`).join(',');
    expect(readTaskSet(text(STREAM_TASKS_MAX))).toHaveLength(STREAM_TASKS_MAX);
    expect(readTaskSet(text(STREAM_TASKS_MAX + 1))).toBeUndefined();
    expect(readTaskSet(text(100_000))).toBeUndefined();
  });
});

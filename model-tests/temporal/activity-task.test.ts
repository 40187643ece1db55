import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';

const warn = vi.fn();

// Other files of this process have read these modules, and will again.
beforeAll(() => {
  vi.doMock('@temporalio/activity', () => ({
    activityInfo: () => ({ activityId: '1', attempt: 1, workflowExecution: { workflowId: 'w', runId: 'r' } }),
    log: { warn },
  }));
  vi.resetModules();
});
afterAll(() => {
  vi.doUnmock('@temporalio/activity');
  vi.resetModules();
});

const heard: unknown[] = [];
const hear = (reason: unknown): void => void heard.push(reason);
afterEach(() => process.off('unhandledRejection', hear));

test('a report that nobody awaits ends no worker when the store refuses it; whoever awaits it hears of it', async () => {
  const { activityTask } = await import('taskbridge/adapters/temporal/activities');
  process.on('unhandledRejection', hear);
  const refused = new Error('The store did not answer.');
  const never = (): Promise<never> => Promise.reject(refused);
  const task = activityTask({ report: never }, { taskId: 't', attempt: 1 });
  void task.progress(10);
  await expect(task.message('Read.')).rejects.toBe(refused);
  // Unhandled rejections are told before this.
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual([]);
  // Nor is what nobody heard of lost.
  expect(warn).toHaveBeenCalledWith('A report of a task was not taken.', {
    taskId: 't',
    attempt: 1,
    report: 'report.progress',
    error: refused,
  });
});

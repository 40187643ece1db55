/** The demo tasks in this process, for `TB_EXECUTOR_MODE=fake`. */
import { setTimeout } from 'node:timers/promises';
import { TaskFailure, type HandlerEntry, type Task } from 'taskbridge/adapters/in-process';
import { demoTasks, type DemoTools, type DemoWork } from './demo-tasks.ts';
import { labelsOf } from './image.ts';

/** Handlers by task type. Nothing that they do is done twice by being run again after a crash. */
export const handlers: Readonly<Record<string, HandlerEntry>> = Object.fromEntries(
  Object.entries<DemoWork>(demoTasks).map(([taskType, work]) => [
    taskType,
    { run: (task: Task) => work(task, toolsOf(task)), repeatable: true },
  ]),
);

function toolsOf(task: Task): DemoTools {
  return {
    rest: (ms) => setTimeout(ms, undefined, { signal: task.signal }),
    async analyze({ key }) {
      const file = await task.attachments.find((one) => one.key === key)?.open();
      return file ? labelsOf(file) : [];
    },
    failure: (code, message) => new TaskFailure(code, message),
  };
}

import type { TaskContext, TaskEvent } from '../../machines/task/task.machine.ts';
import { emptyAggregate, taskMachine } from '../../machines/index.ts';
import { limits } from '../../machines/wire/index.ts';
import { alphabetOf, factTable, intentTable } from './alphabet.ts';
import { describeChart } from './chart-suite.ts';

const alphabet = alphabetOf<TaskEvent>({ ...factTable, ...intentTable, 'log.joined': [{ type: 'log.joined' }] });

const running = (context: Partial<TaskContext>) =>
  taskMachine.resolveState({ value: { active: 'running' }, context: { ...emptyAggregate.task.context, ...context } });

describeChart({
  name: 'task',
  machine: taskMachine,
  alphabet,
  takesEveryFact: true,
  isBeyond: (context) => (context as TaskContext).suspensionCount > 2,
  presets: [
    running({ openSuspensionIds: Array.from({ length: limits.openSuspensionsMax }, (_, index) => `q${index}`) }),
    running({ suspensionCount: limits.suspensionsMax }),
  ],
});

import type { TaskContext, TaskEvent } from '../../machines/task/task.machine.ts';
import { emptyAggregate, taskMachine } from '../../machines/index.ts';
import { limits } from '../../machines/wire/index.ts';
import { alphabetOf, factTable, intentTable } from './alphabet.ts';
import { describeChart } from './chart-suite.ts';

const alphabet = alphabetOf<TaskEvent>({ ...factTable, ...intentTable, 'log.joined': [{ type: 'log.joined' }] });

const running = (context: Partial<TaskContext>) =>
  taskMachine.resolveState({ value: { active: 'running' }, context: { ...emptyAggregate.task.context, ...context } });

const parts = (count: number) => Array.from({ length: count }, (_, nth) => ({ opened: nth + 1, name: 'answer', kind: 'text' as const }));

describeChart({
  name: 'task',
  machine: taskMachine,
  alphabet,
  takesEveryFact: true,
  // Of both together: each multiplies what the other one makes.
  isBeyond: (context) => (context as TaskContext).suspensionCount + (context as TaskContext).partCount > 2,
  presets: [
    running({ openSuspensionIds: Array.from({ length: limits.openSuspensionsMax }, (_, index) => `q${index}`) }),
    running({ suspensionCount: limits.suspensionsMax }),
    running({ openParts: parts(limits.openPartsMax), partCount: limits.openPartsMax }),
    running({ partCount: limits.partsMax }),
  ],
});

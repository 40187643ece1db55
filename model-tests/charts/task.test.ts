import { emptyAggregate, limits, taskMachine, type TaskContext, type TaskEvent } from '../../machines/index.ts';
import { alphabetOf, factTable, question } from './alphabet.ts';
import { describeChart } from './chart-suite.ts';

const failure = { code: 'BROKEN', message: 'It broke.', retryable: true };

const alphabet = alphabetOf<TaskEvent>({
  ...factTable,
  'report.started': [{ type: 'report.started', payload: {} }],
  'report.progress': [{ type: 'report.progress', payload: { progress: 50 } }],
  'report.message': [{ type: 'report.message', payload: { message: 'Read.' } }],
  'report.suspended': [{ type: 'report.suspended', payload: question('a') }],
  'report.completed': [{ type: 'report.completed', payload: { result: { rows: 3 } } }],
  'report.failed': [{ type: 'report.failed', payload: failure }],
  'report.cancelled': [
    { type: 'report.cancelled', payload: {} },
    { type: 'report.cancelled', payload: { reason: 'Stopped.', message: 'Half done.' } },
  ],
  'task.cancel': [{ type: 'task.cancel' }, { type: 'task.cancel', reason: 'Enough.' }],
  'task.fail': [{ type: 'task.fail', payload: failure }],
  'cancel.overdue': [{ type: 'cancel.overdue' }],
  'log.joined': [{ type: 'log.joined' }],
});

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

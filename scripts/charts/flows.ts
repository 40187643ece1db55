import { suspensionMachine } from '../../machines/suspension/suspension.machine.ts';
import { taskMachine } from '../../machines/task/task.machine.ts';
import type { FlowOf } from './flow.ts';

/** The charts in which intents emit facts, and which is beside each. In all others the events that come are those that move. */
export const flows: Readonly<Record<'task' | 'suspension', FlowOf>> = {
  // A question that was asked before answers for itself; see `decide`.
  task: { chart: taskMachine, beside: suspensionMachine, passedOn: { 'report.suspended': 'wasAsked' } },
  suspension: { chart: suspensionMachine, beside: taskMachine },
};

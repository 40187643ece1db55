import { contractHooks } from 'taskbridge/react';
import type { reportTasks } from '../../report/tasks.ts';

/** The hooks, with the types of the report's contract: no schema is loaded here. */
export const { useTasks, useTaskSelector, useTaskActions, useStartTask, useQuestions } = contractHooks<typeof reportTasks>();

import { attemptDecisions } from './attempt-decisions.ts';
import type { Decisions } from './decisions.ts';
import { suspensionDecisions } from './suspension-decisions.ts';
import { taskDecisions } from './task-decisions.ts';

/** Every chart that has a table of what it decides. What each remembers is its own. */
export const allDecisions = [taskDecisions, suspensionDecisions, attemptDecisions] as readonly Decisions<unknown>[];

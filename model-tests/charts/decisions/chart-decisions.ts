import { attemptDecisions } from './attempt-decisions.ts';
import { connectionDecisions } from './connection-decisions.ts';
import type { Decisions } from './decisions.ts';
import { entryDecisions } from './entry-decisions.ts';
import { outboxDecisions } from './outbox-decisions.ts';
import { recoveryDecisions } from './recovery-decisions.ts';
import { suspensionDecisions } from './suspension-decisions.ts';
import { tabDecisions } from './tab-decisions.ts';
import { taskDecisions } from './task-decisions.ts';
import { transportDecisions } from './transport-decisions.ts';

/** Every chart that has a table of what it decides. What each remembers is its own. */
export const allDecisions = [
  taskDecisions,
  suspensionDecisions,
  attemptDecisions,
  outboxDecisions,
  entryDecisions,
  tabDecisions,
  transportDecisions,
  connectionDecisions,
  recoveryDecisions,
] as unknown as readonly Decisions<unknown>[];

import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import { taskFailure, taskWorkflow } from '../../../adapters/temporal/workflow/index.ts';
import { play } from '../../conformance/script/index.ts';

/** Plays the steps of its input. */
export const scripted = taskWorkflow((task) =>
  play(task, {
    failure: (code, message, retryable) => taskFailure(code, message, { retryable }),
    codeOf: (error) => (error instanceof ApplicationFailure ? error.type : undefined),
    untilStopped: () => CancellationScope.current().cancelRequested,
  }),
);

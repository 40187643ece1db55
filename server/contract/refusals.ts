import type { JsonObject } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { SchemaFault } from '../schema-faults.ts';
import { faultText } from './schema-check.ts';

/** Longest path and most faults that `details` gives back: the caller chose both. */
const PATH_CHARACTERS_MAX = 256;
const FAULTS_MAX = 64;

/** What is wrong with a type that nothing here runs. */
export function unhandled(taskType: string): SchemaFault {
  return { path: 'taskType', reason: `names a type that this server does not run: ${JSON.stringify(taskType.slice(0, 64))}` };
}

/** The 422 for a task that cannot be created, with the paths of what is wrong with it. */
export function refusedTask(faults: readonly SchemaFault[]): TaskBridgeError {
  return new TaskBridgeError('REQUEST_VALIDATION_ERROR', `The task was not created: ${faultText(faults)}.`, {
    details: faultDetails(faults),
  });
}

/** Faults as an error gives them back: the first 64, and how many more there are. */
export function faultDetails(faults: readonly SchemaFault[]): JsonObject {
  const errors = faults.slice(0, FAULTS_MAX).map(({ path, reason }) => ({ path: path.slice(0, PATH_CHARACTERS_MAX), reason }));
  return faults.length > FAULTS_MAX ? { errors, omitted: faults.length - FAULTS_MAX } : { errors };
}

import { TaskBridgeError } from '../errors.ts';
import type { RecordWriter } from '../observability/record-writer.ts';
import type { RecordFields, RecordName } from '../observability/records-table.ts';
import type { Call, Route } from './call.ts';

/** Adds to the record of the call what the route found out. */
export type Note = (fields: RecordFields) => void;

const OUR_TASK_ID = /^[0-9a-f]{32}$/;
const nobodyReads: Note = () => undefined;

/** A route whose every answer is recorded under that name, refusals with their code; costs nothing where nobody reads it. */
export function recorded(name: RecordName, records: RecordWriter, route: (call: Call, note: Note) => Promise<void>): Route {
  return (call) => {
    const write = records(name);
    return write ? written(call, route, write) : route(call, nobodyReads);
  };
}

async function written(call: Call, route: (call: Call, note: Note) => Promise<void>, write: (fields: RecordFields) => void): Promise<void> {
  const { taskId, auth } = call;
  // Anything may stand in a path: what cannot be an id of ours is somebody's text.
  let fields: RecordFields = { ...(OUR_TASK_ID.test(taskId) && { taskId }), userId: auth.subject, transport: 'http' };
  try {
    await route(call, (noted) => (fields = { ...fields, ...noted }));
  } catch (thrown) {
    fields = { ...fields, outcome: thrown instanceof TaskBridgeError ? thrown.code : 'INTERNAL_ERROR' };
    throw thrown;
  } finally {
    write(fields);
  }
}

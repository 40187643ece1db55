import {
  restoreAggregate,
  storeSuspension,
  storeTask,
  type Aggregate,
  type StoredSuspension,
  type StoredTask,
} from '../../machines/index.ts';
import { parseExecutionRecord, serializeExecutionRecord, type ExecutionRecord } from '../attempt/execution-record.ts';
import type { Fields, LoadedTask } from '../ports/store.ts';
import { parseAbout, storeAbout, type TaskAbout } from './about.ts';

/** All that decisions about a task are based on, at one revision. Never changed in place. */
export interface TaskRecord {
  readonly about: TaskAbout;
  readonly revision: number;
  readonly aggregate: Aggregate;
  readonly execution: ExecutionRecord;
}

const SUSPENSION = 's:';

/** Names of the side values: they stand beside a task's state and are read one by one. */
export const sideValueNames = {
  /** Input, metadata and references of attachments. */
  content: 'content',
  /** What the work saved for a later attempt. */
  saved: 'saved',
  /** The files that the work has made. */
  attachments: 'attachments',
  /** The hash of a suspension's question. */
  question: (suspendId: string) => `q:${suspendId}`,
  /** The accepted answer of a suspension. */
  answer: (suspendId: string) => `a:${suspendId}`,
  /** What an action's client-made id was used for. */
  receipt: (clientActionId: string) => `r:${clientActionId}`,
} as const;

/** What was made of tasks as they were loaded: a store may give the same object again. */
const parsed = new WeakMap<LoadedTask, TaskRecord>();

/** Reads a task's fields; throws `NewerVersionError` where a newer node wrote them. */
export function parseTaskRecord(loaded: LoadedTask): TaskRecord {
  const known = parsed.get(loaded);
  if (known) return known;
  const record = parse(loaded);
  parsed.set(loaded, record);
  return record;
}

function parse({ revision, fields }: LoadedTask): TaskRecord {
  const suspensions: Record<string, StoredSuspension> = Object.create(null) as Record<string, StoredSuspension>;
  for (const [name, json] of Object.entries(fields)) {
    // Our own text, written by `changedFields`.
    if (name.startsWith(SUSPENSION)) suspensions[name.slice(SUSPENSION.length)] = JSON.parse(json) as StoredSuspension;
  }
  const task = JSON.parse(field(fields, 'task')) as StoredTask;
  return {
    about: parseAbout(field(fields, 'about')),
    revision,
    aggregate: restoreAggregate({ task, suspensions }),
    execution: parseExecutionRecord({
      ledger: field(fields, 'ledger'),
      sources: field(fields, 'sources'),
      ...(fields.lanes !== undefined && { lanes: fields.lanes }),
    }),
  };
}

/** The fields of a new task. */
export function initialFields(about: TaskAbout, aggregate: Aggregate, execution: ExecutionRecord): Fields {
  return { about: storeAbout(about), task: JSON.stringify(storeTask(aggregate)), ...serializeExecutionRecord(execution) };
}

/** The fields in which a task's state differs from a record of it. */
export function changedFields(before: TaskRecord, aggregate: Aggregate, execution: ExecutionRecord): Fields {
  const fields: Record<string, string> = execution === before.execution ? {} : serializeExecutionRecord(execution, before.execution);
  if (aggregate !== before.aggregate) fields.task = JSON.stringify(storeTask(aggregate));
  if (aggregate.suspensions !== before.aggregate.suspensions) {
    for (const [id, snapshot] of aggregate.suspensions) {
      if (before.aggregate.suspensions.get(id) !== snapshot) fields[SUSPENSION + id] = JSON.stringify(storeSuspension(snapshot));
    }
  }
  return fields;
}

function field(fields: Fields, name: string): string {
  const json = fields[name];
  if (json === undefined) throw new Error(`The store gave a task without its field "${name}".`);
  return json;
}

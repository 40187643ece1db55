/**
 * The charts, and what is done with them: decide, fold, store, look. Pure, for server, client and tests alike; imports xstate and zod only. The
 * facts that move them are in `taskbridge/wire`.
 *
 * @packageDocumentation
 */
export { startActors, type AggregateActors, type Inspect } from './aggregate/actors.ts';
export {
  emptyAggregate,
  stepTask,
  unaskedSuspension,
  type Aggregate,
  type SuspensionSnapshot,
  type TaskSnapshot,
} from './aggregate/aggregate.ts';
export { decide, type Decision } from './aggregate/decide.ts';
export { fold } from './aggregate/fold.ts';
export { aggregateFromSnapshot } from './aggregate/from-snapshot.ts';
export {
  NewerVersionError,
  restoreAggregate,
  STORED_VERSION,
  storeAggregate,
  storeSuspension,
  storeTask,
  type StoredAggregate,
  type StoredSuspension,
  type StoredTask,
} from './aggregate/stored.ts';
export { refusalCodes, type Emitted, type Intent, type RefusalCode, type ReportIntent, type TaskIntent } from './intents.ts';
export type { PhaseTable } from './phase-table.ts';
export type { Chance, Clock } from './ports.ts';
export { retryDelayMs, type RetryPolicy } from './retry-policy.ts';
export {
  cancellationOf,
  failureOf,
  isTerminal,
  openSuspensions,
  progressOf,
  resultEventIdOf,
  stateOf,
  statusOf,
  type TaskState,
} from './selectors.ts';
export { stepOf } from './step.ts';
export { suspensionMachine } from './suspension/suspension.machine.ts';
export { taskMachine, type TaskOutput } from './task/task.machine.ts';
export { connectionMachine } from './transport/connection.machine.ts';
export { climbMs, retryOf } from './transport/context.ts';
export { isPolicyClose } from './transport/ending.ts';
export type {
  Classification,
  Continuity,
  RefusedAnswer,
  Settlement,
  Strategy,
  TransportFailure,
  TransportInput,
  Tries,
} from './transport/events.ts';
export { recoveryMachine } from './transport/recovery.machine.ts';
export { transportMachine } from './transport/transport.machine.ts';

/**
 * The charts and the words they speak: pure, for server, client and tests alike. Imports xstate and zod only.
 *
 * @packageDocumentation
 */
export * from './aggregate/actors.ts';
export * from './aggregate/aggregate.ts';
export * from './aggregate/decide.ts';
export * from './aggregate/fold.ts';
export * from './aggregate/from-snapshot.ts';
export * from './aggregate/stored.ts';
export * from './event-id.ts';
export * from './intents.ts';
export * from './limits.ts';
export { retryDelayMs, type RetryPolicy } from './retry-policy.ts';
export type { PhaseCell, PhaseRow, PhaseTable } from './phase-table.ts';
export * from './selectors.ts';
export * from './step.ts';
export * from './suspension/suspension.machine.ts';
export * from './task/task.machine.ts';
export { backoffMs, climbMs, isPolicyClose, retryOf, type TransportContext } from './transport/context.ts';
export * from './transport/transport.machine.ts';
export * from './transport/words.ts';
export * from './wire/answers.ts';
export * from './wire/commands.ts';
export * from './wire/errors.ts';
export * from './wire/facts.ts';
export * from './wire/frames.ts';
export * from './wire/json.ts';
export * from './wire/payloads.ts';

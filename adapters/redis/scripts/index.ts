export { appendScript, type AppendSettings } from './append.ts';
export { create } from './create.ts';
export { identity } from './identity.ts';
export { dropLease, held, leases, renew } from './leases.ts';
export { fields, lastIds, load, read, sideValues, time } from './reads.ts';
export { remove } from './remove.ts';
export type { Script } from './script.ts';
export { trial, trialCommands } from './trial.ts';
export { take } from './work-queue.ts';

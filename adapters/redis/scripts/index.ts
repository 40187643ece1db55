export { appendScript, type AppendSettings } from './append.ts';
export { create } from './create.ts';
export { identity } from './identity.ts';
export { due, fields, lastIds, load, read, sideValues, time } from './reads.ts';
export { remove } from './remove.ts';
export type { Script } from './script.ts';
export { trial, trialCommands } from './trial.ts';

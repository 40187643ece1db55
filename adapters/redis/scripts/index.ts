export { appendScript, type AppendSettings } from './append.ts';
export { create } from './create.ts';
export { due, fields, lastIds, load, read, sideValues, time } from './reads.ts';
export { identify } from './identify.ts';
export { remove } from './remove.ts';
export type { Script } from './script.ts';

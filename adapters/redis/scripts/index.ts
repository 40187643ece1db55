export { appendScript, type AppendSettings } from './append.ts';
export { create } from './create.ts';
export { due, fields, kept, lastIds, load, read, time } from './reads.ts';
export { remove } from './remove.ts';
export type { Script } from './script.ts';

/**
 * Parts of tasks over the wire: the text of those that are open, and how a client goes on in it. Those who only watch facts load nothing of it.
 *
 * @packageDocumentation
 */
export { PART_READ_BYTES_MIN, partTextQuery, type PartTextResponse, type TaskPart } from '../wire/commands.ts';
export type { PartFrame } from '../wire/frames.ts';
export { readPartCursors, type PartCursor, type PartCursors } from '../wire/parts.ts';

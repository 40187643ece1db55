/**
 * The text of parts, as it grows: for clients that are given `parts: taskParts()`. A door of its own, so that a page which shows none loads none.
 *
 * @packageDocumentation
 */
export { partOf, partsOf, type ObservedPart, type PartPiece } from './observed-part.ts';
export { defaultPartLimits, type PartLimits, type TaskPartsOptions } from './options.ts';
export type { PartKind, PartView } from './part-text.ts';
export { taskParts } from './task-parts.ts';
export type { PartPort } from '../observation/part-port.ts';

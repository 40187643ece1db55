import { limits, type JsonObject } from '../../../machines/wire/index.ts';
import { TaskBridgeError } from '../../errors.ts';
import { parseJson } from '../json-body.ts';

/** The text fields that a multipart create has. */
export const textFields = ['clientRequestId', 'taskType', 'input', 'metadata', 'title', 'labels'] as const;
/** One of them. */
export type TextField = (typeof textFields)[number];

/** The text fields as they were sent. */
export type TextParts = ReadonlyMap<TextField, Buffer>;

/** True for the name of one of them. */
export function isTextField(name: string | undefined): name is TextField {
  return (textFields as readonly (string | undefined)[]).includes(name);
}

/** A text field that has to be there, or `INVALID_REQUEST`. */
export function requiredText(parts: TextParts, name: TextField): string {
  const text = optionalText(parts, name) ?? '';
  if (text.trim() === '') throw new TaskBridgeError('INVALID_REQUEST', `The field ${name} is missing or blank.`);
  return text;
}

/** A text field that may be absent, or `INVALID_REQUEST` for one that is no text. */
export function optionalText(parts: TextParts, name: TextField): string | undefined {
  const bytes = parts.get(name);
  try {
    return bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TaskBridgeError('INVALID_REQUEST', `The field ${name} is not valid UTF-8.`);
  }
}

/** A text field that holds JSON, undefined where it is absent; throws as {@link objectText} does. */
export function jsonText(parts: TextParts, name: TextField, valuesMax: number): unknown {
  const bytes = parts.get(name);
  return bytes && parseJson(bytes, `The field ${name}`, { valuesMax, nestingMax: limits.nestingMax }, name);
}

/** A text field that holds a JSON object, `{}` where it is absent, or `INVALID_REQUEST`; `REQUEST_VALIDATION_ERROR` for one of more values. */
export function objectText(parts: TextParts, name: TextField, valuesMax: number): JsonObject {
  const value = parts.has(name) ? jsonText(parts, name, valuesMax) : {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TaskBridgeError('INVALID_REQUEST', `The field ${name} must hold a JSON object.`);
  // What is inside is checked by the schema, like that of a JSON body.
  return value as JsonObject;
}

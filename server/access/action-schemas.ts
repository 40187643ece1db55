import type { ActionValidationPolicy } from '../ports/auth.ts';

/** A schema of Zod, Valibot, ArkType or any other library that follows the Standard Schema (version 1). */
export interface ActionSchema {
  /** What the standard says of every schema; only this is called. */
  readonly '~standard': { validate(value: unknown): SchemaResult | Promise<SchemaResult> };
}

/** What a schema says of a value: no issues, or some. */
interface SchemaResult {
  readonly issues?: readonly SchemaIssue[] | undefined;
}

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What the parts of one type of action have to look like. A part without a schema may be any object. */
export interface ActionParts {
  readonly payload?: ActionSchema;
  readonly metadata?: ActionSchema;
}

/** The most faults that one answer names, and the longest path and message: callers choose the keys, and messages list them. */
const FAULTS_MAX = 5;
const PATH_CHARACTERS_MAX = 256;
const MESSAGE_CHARACTERS_MAX = 256;
const parts = ['metadata', 'payload'] as const;

/**
 * Checks actions against schemas, by their type: `actionSchemas({ a2ui_action: { metadata, payload } })`. What does not fit is answered 400 with
 * the paths and the messages, cut to 256 characters each, of at most five faults; what a schema changes in a value is not kept. A type that has no schemas is let through: which types a
 * question takes is its own `allowedActions`. Throws a `TypeError` for what is no Standard Schema, and where one gives no result.
 */
export function actionSchemas(schemas: Readonly<Record<string, ActionParts>>): ActionValidationPolicy {
  const known = new Map(Object.entries(schemas));
  for (const [actionType, given] of known)
    for (const part of parts)
      if (given[part] && typeof given[part]['~standard']?.validate !== 'function')
        throw new TypeError(`The ${part} of ${actionType} is no Standard Schema: give one of Zod, Valibot or ArkType.`);
  return {
    async refuseAction(_auth, _about, action) {
      const { actionType } = action;
      const given = known.get(actionType);
      const faults = [
        ...(await faultsOf(given?.metadata, 'metadata', action.metadata)),
        ...(await faultsOf(given?.payload, 'payload', action.payload)),
      ];
      if (faults.length === 0) return undefined;
      const more = faults.length > FAULTS_MAX ? `, and ${faults.length - FAULTS_MAX} more` : '';
      return `The action of type ${JSON.stringify(actionType)} was not taken: ${faults.slice(0, FAULTS_MAX).join('; ')}${more}.`;
    },
  };
}

async function faultsOf(schema: ActionSchema | undefined, part: string, value: unknown): Promise<string[]> {
  if (!schema) return [];
  const result: unknown = await schema['~standard'].validate(value);
  // A schema that forgets to return has checked nothing.
  if (typeof result !== 'object' || result === null) throw new TypeError(`The schema of a ${part} gave no result.`);
  const { issues = [] } = result as SchemaResult;
  return issues.map(
    ({ path = [], message }) =>
      `${[part, ...path.map(keyOf)].join('.').slice(0, PATH_CHARACTERS_MAX)}: ${cut(String(message), MESSAGE_CHARACTERS_MAX)}`,
  );
}

function cut(text: string, charactersMax: number): string {
  return text.length > charactersMax ? `${text.slice(0, charactersMax - 1)}…` : text;
}

function keyOf(segment: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof segment === 'object' ? segment.key : segment);
}

import type { FactPayload, Json, JsonObject } from '../../machines/wire/index.ts';

/** A question as it was asked. */
export type ShownQuestion = FactPayload<'TASK_SUSPENDED'>;

/** What a page offers for a field: a line of text, a number, a box to tick, one of some values, or JSON where none of these fits. */
export type FieldKind = 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';

/** One property of an action's payload, as its schema describes it. */
export interface QuestionField {
  readonly name: string;
  readonly kind: FieldKind;
  /** The schema's `title`, else the name. */
  readonly label: string;
  readonly description: string | undefined;
  readonly isRequired: boolean;
  /** Of a `choice`. */
  readonly options: readonly Json[];
  /** The schema's `default`. */
  readonly initial: Json | undefined;
  /** All that the schema says of it. */
  readonly schema: JsonObject;
}

/** One way to answer a question. */
export interface QuestionAction {
  readonly actionType: string;
  /** The schema's `title`, else the type of action. */
  readonly label: string;
  /** The schema's. */
  readonly description: string | undefined;
  /** Of its payload, where the question's contract says so (`interaction.$actions`). */
  readonly schema: JsonObject | undefined;
  /** Empty without a schema, and for a payload that is no object with properties. */
  readonly fields: readonly QuestionField[];
}

/** The ways to answer a question, in its own order, with what each is to be given. */
export function actionsOf({
  allowedActions,
  interaction,
}: Pick<ShownQuestion, 'allowedActions' | 'interaction'>): readonly QuestionAction[] {
  const schemas = asObject(interaction?.['$actions']);
  return allowedActions.map((actionType) => {
    const schema = asObject(schemas?.[actionType]);
    return {
      actionType,
      label: textOf(schema?.['title']) ?? actionType,
      description: textOf(schema?.['description']),
      schema,
      fields: schema ? fieldsOf(schema) : [],
    };
  });
}

/** The payload that an action is given: fields without a value are left out. */
export function payloadOf(fields: readonly QuestionField[], values: JsonObject): JsonObject {
  return Object.fromEntries(fields.flatMap(({ name }) => (values[name] === undefined ? [] : [[name, values[name]]])));
}

/** What fields hold before anybody has touched them. */
export function initialValues(fields: readonly QuestionField[]): JsonObject {
  return Object.fromEntries(fields.flatMap(({ name, initial }) => (initial === undefined ? [] : [[name, initial]])));
}

function fieldsOf({ properties, required }: JsonObject): readonly QuestionField[] {
  const needed = Array.isArray(required) ? required : [];
  return Object.entries(asObject(properties) ?? {}).map(([name, value]) => {
    const schema = asObject(value) ?? {};
    const options = optionsOf(schema);
    return {
      name,
      kind: options.length > 0 ? 'choice' : kindOf(schema['type']),
      label: textOf(schema['title']) ?? name,
      description: textOf(schema['description']),
      isRequired: needed.includes(name),
      options,
      initial: schema['default'],
      schema,
    };
  });
}

function optionsOf({ enum: listed, const: only }: JsonObject): readonly Json[] {
  if (Array.isArray(listed)) return listed as readonly Json[];
  return only === undefined ? [] : [only];
}

function kindOf(type: Json | undefined): FieldKind {
  if (type === 'string') return 'text';
  return type === 'number' || type === 'integer' || type === 'boolean' ? type : 'json';
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function asObject(value: unknown): JsonObject | undefined {
  // What is neither null nor a list, and came as JSON, is one.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

import * as z from 'zod/mini';
import * as commands from '../wire/commands.ts';
import { factTypes, type FactType } from '../wire/facts.ts';
import { jsonObject, jsonValue, textId } from '../wire/json.ts';
import { partAttributes, partCursors } from '../wire/parts.ts';
import { factSchema } from '../wire/payloads.ts';

/** What the code checks by a function, said in the words of JSON Schema. */
const saidOtherwise = new Map<z.core.$ZodType, z.core.JSONSchema.BaseSchema>([
  [jsonObject, { type: 'object' }],
  [jsonValue, { description: 'Any JSON value.' }],
  ...[textId, commands.title, commands.label].map((plain) => [plain, { minLength: 1, pattern: '\\S' }] as const),
  [commands.labels, { uniqueItems: true }],
  [partAttributes, { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } }],
  [
    partCursors,
    {
      pattern:
        '^(|[1-9]\\d{0,15}-\\d{1,16}\\.(0|[1-9]\\d{0,6})\\.[\\w-]{1,64}(,[1-9]\\d{0,15}-\\d{1,16}\\.(0|[1-9]\\d{0,6})\\.[\\w-]{1,64}){0,15})$',
    },
  ],
  [commands.taskSet, { pattern: '^[^,]+@[^,@]*(,[^,]+@[^,@]*){0,63}$' }],
  [commands.cursor, { pattern: '^(|0-0|[1-9]\\d{0,15}-\\d{1,16})$' }],
]);

/** How schemas of the wire are written as JSON Schema (draft 2020-12): what a function checks is said in its words. */
export const wireSchemaParams = {
  unrepresentable: 'any',
  override: ({ zodSchema, jsonSchema }) => {
    Object.assign(jsonSchema, saidOtherwise.get(zodSchema));
    // A clock's pattern says no more than its format, at great length.
    if (jsonSchema.format === 'date-time') jsonSchema.pattern = 'Z$';
  },
} as const satisfies z.core.ToJSONSchemaParams;

/** A JSON Schema (draft 2020-12). */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Refers to a schema of a document that has it among its components. */
export function schemaRef(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

/** Shapes of the wire as components of a document, by the names that they are to have there; where one has another in it, it refers to it. */
export function componentSchemas(named: Readonly<Record<string, z.core.$ZodType>>): Readonly<Record<string, JsonSchema>> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { ...wireSchemaParams, io: 'input', uri: (id) => schemaRef(id).$ref });
  return Object.fromEntries(Object.entries(schemas).map(([name, { $schema, $id, ...schema }]) => [name, schema]));
}

/** The schema of each type of fact, by a name for it: `TASK_STARTED` is `TaskStarted`. */
export const factSchemas: Readonly<Record<string, z.core.$ZodType>> = Object.fromEntries(
  factTypes.map((type) => [factName(type), factSchema(type)]),
);

function factName(type: FactType): string {
  return type.toLowerCase().replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

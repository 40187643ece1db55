import { jsonFault, type JsonObject } from '../wire/json.ts';

/** A schema of Zod, Valibot, ArkType or any other library that follows the Standard Schema (version 1). */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the standard says of every schema. */
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    /** Of libraries that tell JSON Schema too, as Zod does from 4.2 on. */
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
      readonly output: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
    };
  };
}

/** What a schema says of a value: the value as it makes it, or what is wrong. */
export type SchemaResult<Output = unknown> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong, and where. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A schema as a contract takes it; with its JSON Schema (draft 2020-12) beside it where its library makes none. */
export type ContractSchema<Input = unknown, Output = Input> =
  StandardSchema<Input, Output> | { readonly schema: StandardSchema<Input, Output>; readonly jsonSchema: JsonObject };

type Inner<S> = S extends { readonly schema: infer Given } ? Given : S;
type Told<S> = Inner<S> extends { readonly '~standard': { readonly types?: infer T } } ? NonNullable<T> : never;

/** What may be given to a schema. */
export type SchemaInput<S> = Told<S> extends { readonly input: infer Input } ? Input : never;
/** What a schema makes of it. */
export type SchemaOutput<S> = Told<S> extends { readonly output: infer Output } ? Output : never;

/** A schema that was looked at: it can check, and has a JSON Schema. */
export interface ReadSchema {
  readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
  readonly jsonSchema: JsonObject;
}

/**
 * Looks at a schema; `side` is which of its two a JSON Schema shall describe: what is given, or what is made of it. Throws a `TypeError` that names
 * `what`, where it is no Standard Schema or has no JSON Schema.
 */
export function readSchema(what: string, given: ContractSchema, side: 'input' | 'output'): ReadSchema {
  const isBeside = typeof given === 'object' && given !== null && 'schema' in given;
  const schema: unknown = isBeside ? given.schema : given;
  if (!isStandard(schema)) throw new TypeError(`The ${what} is no Standard Schema: give one of Zod, Valibot or ArkType.`);
  const standard = schema['~standard'];
  return {
    // Called on its own object: a library may need it.
    validate: (value) => standard.validate(value),
    jsonSchema: isBeside ? checked(what, given.jsonSchema) : made(what, standard.jsonSchema?.[side], standard.jsonSchema),
  };
}

function isStandard(schema: unknown): schema is StandardSchema {
  // Schemas of ArkType are functions.
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return false;
  const standard: unknown = (schema as Partial<StandardSchema>)['~standard'];
  return typeof standard === 'object' && standard !== null && typeof (standard as { validate?: unknown }).validate === 'function';
}

type Maker = NonNullable<StandardSchema['~standard']['jsonSchema']>['input'];

function made(what: string, make: Maker | undefined, maker: unknown): JsonObject {
  const beside = `give it beside: { schema, jsonSchema }`;
  if (!make) throw new TypeError(`The ${what} has no JSON Schema, since its library tells none: ${beside}.`);
  try {
    const { $schema: _, ...rest } = make.call(maker, { target: 'draft-2020-12' });
    return checked(what, rest as JsonObject);
  } catch (cause) {
    throw new TypeError(`The ${what} has no JSON Schema (${cause instanceof Error ? cause.message : String(cause)}); ${beside}.`, {
      cause,
    });
  }
}

/** Goes over the wire as it is. */
function checked(what: string, jsonSchema: JsonObject): JsonObject {
  const fault =
    typeof jsonSchema === 'object' && jsonSchema !== null && !Array.isArray(jsonSchema) ? jsonFault(jsonSchema) : 'is no object';
  if (fault !== undefined) throw new TypeError(`The JSON Schema of the ${what} ${fault}.`);
  return JSON.parse(JSON.stringify(jsonSchema)) as JsonObject;
}

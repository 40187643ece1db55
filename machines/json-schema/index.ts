/**
 * The wire as JSON Schema (draft 2020-12), for documents that describe it. Neither charts nor clients load any of it.
 *
 * @packageDocumentation
 */
export { httpSchemas } from './http-schemas.ts';
export { componentSchemas, factSchemas, schemaRef, wireSchemaParams, type JsonSchema } from './components.ts';
export { VERSION } from './version.ts';

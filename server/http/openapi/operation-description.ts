import { STATUS_CODES } from 'node:http';
import * as z from 'zod/mini';
import { pathNames, type RoutePaths } from '../../../machines/routes/index.ts';
import { createTaskRequest, type ErrorCode } from '../../../machines/wire/index.ts';
import { componentSchemas, schemaRef, wireSchemaParams, type JsonSchema } from '../../../machines/json-schema/index.ts';
import { httpStatus } from '../status.ts';
import { commonErrors, operations, type OperationAnswer, type Operation, type RequestBody } from './operations.ts';
import type { SchemaName } from './document-schemas.ts';

const JSON_TYPE = 'application/json';

/** One route, as an operation of OpenAPI. */
export function operationDescription(name: keyof RoutePaths, path: string): object {
  const operation = operations[name];
  const errors = operation.isOpen ? [] : [...commonErrors, ...operation.errors];
  return {
    operationId: name,
    summary: operation.summary,
    ...(operation.description !== undefined && { description: operation.description }),
    security: operation.isOpen ? [] : [{ bearer: [] }],
    parameters: [...pathParameters(path), ...queryParameters(operation), ...(operation.takesTrace ? traceParameters : [])],
    ...(operation.body && { requestBody: requestBodyObject(operation.body) }),
    responses: {
      ...Object.fromEntries(errors.map((status) => [String(status), { $ref: `#/components/responses/${errorName(status)}` }])),
      ...Object.fromEntries(Object.entries(operation.answers).map(([status, answer]) => [status, answerObject(answer)])),
    },
  };
}

/** The answers that are the envelope, by their names in the document. */
export function errorAnswers(): Readonly<Record<string, object>> {
  const statuses = new Set([...commonErrors, ...Object.values(operations).flatMap(({ errors }) => errors)]);
  return Object.fromEntries([...statuses].toSorted((a, b) => a - b).map((status) => [errorName(status), errorAnswer(status)]));
}

function errorAnswer(status: number): object {
  const codes = (Object.keys(httpStatus) as ErrorCode[]).filter((code) => httpStatus[code] === status);
  const retryAfter = { description: 'Seconds to wait before the request is sent again.', schema: { type: 'integer', minimum: 0 } };
  return {
    description: codes.map((code) => `\`${code}\``).join(', '),
    ...((status === 429 || status === 503) && { headers: { 'Retry-After': retryAfter } }),
    content: { [JSON_TYPE]: { schema: schemaRef('ErrorEnvelope') } },
  };
}

/** 404 is `NotFound`. */
function errorName(status: number): string {
  return (STATUS_CODES[status] ?? String(status)).replaceAll(/\W/g, '');
}

function answerObject({ description, schema, isStream, isFile, hasTaskId }: OperationAnswer): object {
  return {
    description,
    ...(schema && { content: isStream ? streamContent(schema) : { [JSON_TYPE]: { schema: schemaRef(schema) } } }),
    ...(isFile && { content: { '*/*': { schema: { type: 'string', contentMediaType: 'application/octet-stream' } } } }),
    ...(hasTaskId && { links: taskLinks() }),
  };
}

/** A stream is described by one of its events. */
function streamContent(schema: SchemaName): object {
  const data: JsonSchema = { type: 'string', contentMediaType: JSON_TYPE, contentSchema: schemaRef(schema) };
  const event: JsonSchema = { type: 'object', properties: { id: { type: 'string' }, data }, required: ['data'] };
  return { 'text/event-stream': { schema: event } };
}

/** What a new task can be asked next. */
function taskLinks(): object {
  const ofTask = ['task', 'events', 'stream', 'cancel', 'actions', 'remove'] as const;
  return Object.fromEntries(ofTask.map((name) => [name, { operationId: name, parameters: { taskId: '$response.body#/taskId' } }]));
}

function pathParameters(path: string): readonly object[] {
  return pathNames(path).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string', minLength: 1 } }));
}

function queryParameters({ query, takesCursorHeader }: Operation): readonly object[] {
  if (!query) return [];
  const shape = z.toJSONSchema(query, { ...wireSchemaParams, io: 'output' });
  const parameters = Object.entries(shape.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    // What has a default need not be said.
    required: typeof schema === 'object' && !('default' in schema) && (shape.required ?? []).includes(name),
    schema,
  }));
  const cursor = { name: 'Last-Event-ID', in: 'header', required: false, schema: shape.properties?.['lastEventId'] };
  return takesCursorHeader ? [...parameters, cursor] : parameters;
}

/** Source: W3C Trace Context. One that is none is passed over, so that their schemas forbid nothing. */
const traceParameters: readonly object[] = [
  {
    name: 'traceparent',
    in: 'header',
    required: false,
    description:
      "Where the request stands in its caller's trace, as W3C Trace Context has it: the spans of the task hang beneath it. One that is none is passed over.",
    schema: { type: 'string' },
    example: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  },
  {
    name: 'tracestate',
    in: 'header',
    required: false,
    description: 'What vendors add to `traceparent`. One that is none, or is longer than 512 characters, is passed over.',
    schema: { type: 'string' },
    example: 'vendor=1',
  },
];

function requestBodyObject({ schema, otherSchema, isOptional, takesFiles }: RequestBody): object {
  return {
    required: !isOptional,
    content: {
      [JSON_TYPE]: { schema: otherSchema ? { oneOf: [schemaRef(schema), schemaRef(otherSchema)] } : schemaRef(schema) },
      ...(takesFiles && { 'multipart/form-data': createForm() }),
    },
  };
}

const formFile: JsonSchema = { type: 'string', contentMediaType: 'application/octet-stream' };

/** A create as a form: fields of the same names, those that are no text as JSON, and files. */
function createForm(): object {
  const { CreateTaskRequest } = componentSchemas({ CreateTaskRequest: createTaskRequest });
  const schema: JsonSchema = {
    ...CreateTaskRequest,
    properties: { ...CreateTaskRequest?.properties, attachment: formFile, attachments: { type: 'array', items: formFile } },
  };
  const asJson = { contentType: JSON_TYPE };
  return { schema, encoding: { input: asJson, metadata: asJson, labels: asJson } };
}

/** Writes the wire as JSON Schema 2020-12, OpenAPI and AsyncAPI, from the schemas that the code itself checks with. `--check` only compares. */
import * as z from 'zod/mini';
import * as answers from '../machines/wire/answers.ts';
import * as commands from '../machines/wire/commands.ts';
import { factTypes } from '../machines/wire/facts.ts';
import { wireSchemaParams } from '../machines/json-schema/index.ts';
import * as lists from '../machines/lists/task-list.ts';
import * as retries from '../machines/lists/task-retry.ts';
import { factSchema } from '../machines/wire/payloads.ts';
import { DEFAULT_PREFIX, defaultRoutePaths } from '../machines/routes/index.ts';
import { openApiDocument } from '../server/http/openapi/document.ts';
import { asyncApiDocument } from './asyncapi.ts';
import { keepCommitted } from './committed.ts';

const schemas: Readonly<Record<string, z.core.$ZodType>> = {
  'cancel-task-request': commands.cancelTaskRequest,
  'cancel-task-response': answers.cancelTaskResponse,
  'create-task-request': commands.createTaskRequest,
  'create-task-response': answers.createTaskResponse,
  'error-envelope': answers.errorEnvelope,
  'extensions-granted-frame': answers.extensionsGrantedFrame,
  'gap-frame': answers.gapFrame,
  'heartbeat-frame': answers.heartbeatFrame,
  'part-frame': answers.partFrame,
  'part-text-query': commands.partTextQuery,
  'part-text-response': answers.partTextResponse,
  'poll-query': commands.pollQuery,
  'poll-response': answers.pollResponse,
  'retry-task-request': retries.retryTaskRequest,
  'shared-stream-query': commands.sharedStreamQuery,
  'sse-gap-frame': answers.sseGapFrame,
  'sse-heartbeat-frame': answers.sseHeartbeatFrame,
  'stream-query': commands.streamQuery,
  'submit-action-request': commands.submitActionRequest,
  'submit-action-response': answers.submitActionResponse,
  'subscribe-frame': commands.subscribeFrame,
  'subscription-confirmed-frame': answers.subscriptionConfirmedFrame,
  'subscription-ended-frame': answers.subscriptionEndedFrame,
  'task-list-query': lists.taskListQuery,
  'task-list-response': answers.taskListResponse,
  'task-snapshot-response': answers.taskSnapshotResponse,
  'task-types-response': answers.taskTypesResponse,
  'unsubscribe-frame': commands.unsubscribeFrame,
};

function jsonSchema(name: string, schema: z.core.$ZodType): string {
  return text({ ...z.toJSONSchema(schema, { ...wireSchemaParams, io: 'input' }), title: name });
}

function text(schema: object): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

const facts = factTypes.map((type) => [type.toLowerCase().replaceAll('_', '-'), factSchema(type)] as const);

const files = new Map<string, string>();
for (const [name, schema] of [...Object.entries(schemas), ...facts]) files.set(`${name}.json`, jsonSchema(name, schema));
files.set(
  'fact.json',
  text({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'fact',
    oneOf: facts.map(([name]) => ({ $ref: `${name}.json` })),
  }),
);
keepCommitted('docs/schemas', files, 'npm run schemas');

const documents = {
  'openapi.json': openApiDocument({ prefix: DEFAULT_PREFIX, mountPath: '', paths: defaultRoutePaths }),
  'asyncapi.json': asyncApiDocument(),
};
keepCommitted('docs', new Map(Object.entries(documents).map(([name, document]) => [name, text(document)])), 'npm run schemas', true);
